import { randomBytes } from "node:crypto";
import { EventEmitter } from "node:events";
import { setImmediate as nextTurn } from "node:timers/promises";
import { promisify } from "node:util";
import type { Express, Request } from "express";
import type { ExpressSessionStore, SessionObject } from "../../../lib";
import type { Sessions } from "../../../lib/sessions";
import type { SessionStore } from "../../../lib/stores/store";
import { EXPRESSES, startApp } from "../../support/app";
import type { RunningApp } from "../../support/app";
import { describeOnEveryStore } from "../../support/every-store";
import { FaultyStore } from "../../support/faulty-store";
import { idOf } from "../../support/session-life";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** What keycloak-connect does for a back-channel logout (stores/session-store.js). */
class KeycloakSessionStore {
  constructor(readonly store: ExpressSessionStore) {}

  clear(sessionId: string): void {
    this.store.get(sessionId, (_error, session) => {
      if (!session) return;
      delete session["keycloak-token"];
      this.store.set(sessionId, session);
    });
  }
}

/** What express-openid-connect does with the option `session.store` (lib/appSession.js): its own cookie holds `id`. */
function openIdStore(store: ExpressSessionStore) {
  const promised = (name: string): any => promisify(store[name] as () => void).bind(store);
  return {
    get: promised("get") as (id: string) => Promise<SessionObject | undefined>,
    set: promised("set") as (id: string, session: object) => Promise<void>,
    destroy: promised("destroy") as (id: string) => Promise<void>,
    touch: promised("touch") as (id: string, session: object) => Promise<void>,
    all: promised("all") as () => Promise<Record<string, SessionObject>>,
    length: promised("length") as () => Promise<number>,
    clear: promised("clear") as () => Promise<void>,
  };
}

function openIdSession(data: object, now: number, forMs: number) {
  const seconds = Math.floor(now / 1000);
  const exp = seconds + forMs / 1000;
  return { header: { iat: seconds, uat: seconds, exp }, data, cookie: { expires: exp * 1000, maxAge: forMs } };
}

const sessionStoreOf = (req: unknown) => (req as { sessionStore: ExpressSessionStore }).sessionStore;

function routes(app: Express, sessions: Sessions): void {
  const keycloak = new KeycloakSessionStore(sessions.expressSessionStore());
  app.get("/login", (req, res) => {
    req.session.set("keycloak-token", "grant").set("cart", { items: [1] });
    req.session.set("at", new Date(5));
    res.send(req.session.id);
  });
  app.get("/token", (req, res) =>
    res.json({ token: req.session.get("keycloak-token", null), keys: req.session.keys() }),
  );
  app.get("/cart", (req, res) => {
    req.session.set("cart", { items: [1, 2] });
    res.end();
  });
  app.get("/k_logout/:id", (req, res) => {
    keycloak.clear(req.params.id);
    res.send("ok");
  });
  app.get("/same", (req, res) => {
    const store = sessionStoreOf(req);
    res.json([
      ...[store === sessions.expressSessionStore(), store instanceof EventEmitter],
      ...["sessionStore" in req, Object.keys(req).includes("sessionStore")],
    ]);
  });
  app.get("/read-by-store", (req, res, next) => {
    sessionStoreOf(req).get(req.sessionID, (error, session) => {
      if (error === null) res.json(session ?? null);
      else next(error);
    });
  });
}

describeOnEveryStore("a store of express-session's kind", (every) => {
  describe.each(EXPRESSES)("on %s", (_name, express) => {
    let inner: SessionStore;
    let store: FaultyStore;
    let app: RunningApp;
    let clock: number;
    let headers: { cookie: string };
    let id: string;

    beforeEach(async () => {
      clock = Date.now();
      const now = () => clock;
      inner = await every.open({ now });
      store = new FaultyStore(inner);
      const userOf = (session: { get(key: string): unknown }) => session.get("user") as string | undefined;
      app = await startApp(routes, { store, express, now, userOf, project: "shop", idleTimeout: HOUR });
      headers = { cookie: (await app.get("/login")).cookie ?? "" };
      id = idOf(headers.cookie);
    });

    afterEach(() => app.close());

    const own = () => openIdStore(app.sessions.expressSessionStore());
    const library = (name = "openid") => openIdStore(app.sessions.expressSessionStore({ library: name }));
    const newId = () => randomBytes(16).toString("hex");
    const settled = async () => {
      for (let turn = 0; turn < 3; turn += 1) await nextTurn();
      await store.idle();
    };

    describe("without options", () => {
      it("is what req.sessionStore gives, and is not listed among a request's properties", async () => {
        expect(JSON.parse((await app.get("/same")).body)).toEqual([true, true, true, false]);
      });

      it("reads a session as libraries know one", async () => {
        const body = JSON.parse((await app.get("/read-by-store", headers)).body) as SessionObject;
        const cookie = {
          originalMaxAge: HOUR,
          expires: new Date(clock + HOUR).toISOString(),
          httpOnly: true,
          path: "/",
        };
        expect(body).toEqual({
          "keycloak-token": "grant",
          cart: { items: [1] },
          at: new Date(5).toISOString(),
          cookie,
        });
        expect(await own().get("nobody")).toBeUndefined();
      });

      it("lets keycloak-connect sign a user out by a call of the identity provider's", async () => {
        expect((await app.get(`/k_logout/${id}`)).body).toBe("ok");
        let body: { token: unknown; keys: string[] };
        do body = JSON.parse((await app.get("/token", headers)).body) as typeof body;
        while (body.token !== null);
        // Not every store keeps the order of keys.
        expect({ ...body, keys: body.keys.sort() }).toEqual({ token: null, keys: ["at", "cart"] });
      });

      it("P3: writes only what was changed since the session was read", async () => {
        const session = (await own().get(id)) ?? {};
        await app.get("/cart", headers);
        delete session["keycloak-token"];
        session.seen = true;
        await own().set(id, session);
        expect(await own().get(id)).toMatchObject({ cart: { items: [1, 2] }, seen: true });
        expect(await own().get(id)).not.toHaveProperty("keycloak-token");
      });

      it("P4: writes nothing where nothing was changed", async () => {
        store.resetCalls();
        const session = (await own().get(id)) ?? {};
        const before = await inner.load(id);
        await own().set(id, session);
        expect(await inner.load(id)).toEqual(before);
        expect(store.calls.update).toBe(0);
      });

      it("takes over a session that was not read from it, whole, and knows whose it is by then", async () => {
        await own().set(id, { user: "alice", cookie: { maxAge: 5 } });
        expect(await own().get(id)).toEqual({ user: "alice", cookie: expect.any(Object) });
        expect(await app.sessions.killSessionByUser("alice")).toBe(1);
      });

      it("P2: starts no session, and brings none back", async () => {
        const session = (await own().get(id)) ?? {};
        await app.sessions.kill(id);
        for (const gone of [id, newId()]) {
          await expect(own().set(gone, { ...session, n: 1 })).rejects.toMatchObject({
            ...{ code: "SESSION_ENDED", message: expect.stringContaining("{ library:") },
          });
          expect(await own().get(gone)).toBeUndefined();
        }
        await own().destroy(id);
        await own().touch(id, session);
        expect(await inner.load(id)).toBeUndefined();
      });

      it("ends a session, also for its own request", async () => {
        const ended: unknown[] = [];
        app.sessions.on("ended", (event) => ended.push(event));
        await own().destroy(id);
        await own().destroy(id);
        expect(ended).toMatchObject([{ id, reason: "closed" }]);
        expect(JSON.parse((await app.get("/token", headers)).body)).toEqual({ token: null, keys: [] });
      });

      it("renews a session, and lists, counts and ends all", async () => {
        clock += 10 * MINUTE;
        const { cookie: other = "" } = await app.get("/login");
        await library().set(newId(), openIdSession({}, clock, HOUR));
        await app.sessions.openClientlessSession("alice");
        await own().touch(id, {});
        expect(await inner.load(id)).toMatchObject({ lastSeenAt: clock, expiresAt: clock + HOUR });
        expect(Object.keys(await own().all()).sort()).toEqual([id, idOf(other)].sort());
        expect(await own().length()).toBe(2);
        await own().clear();
        expect(await own().length()).toBe(0);
        expect(await library().length()).toBe(1);
        expect(await app.sessions.getSessionInfo()).toHaveLength(2); // The library's, and the clientless one.
      });
    });

    describe("for the sessions of a library", () => {
      it("lets express-openid-connect keep, change and end them", async () => {
        const openid = library();
        const sid = newId();
        expect(await openid.get(sid)).toBeUndefined();
        const session = openIdSession({ id_token: "jwt", n: 1 }, clock, HOUR);
        await openid.set(sid, session);
        expect(await openid.get(sid)).toMatchObject({ header: session.header, data: { id_token: "jwt", n: 1 } });
        await openid.set(sid, openIdSession({ id_token: "jwt" }, clock, HOUR));
        expect((await openid.get(sid))?.data).toEqual({ id_token: "jwt" });
        const moved = (await openid.get(sid)) ?? {};
        const regenerated = newId();
        await openid.destroy(sid);
        await openid.set(regenerated, moved);
        expect(await openid.get(sid)).toBeUndefined();
        expect(await openid.get(regenerated)).toMatchObject({ data: { id_token: "jwt" } });
      });

      it("ends them when the library says, to the millisecond, and lets it start the same id again", async () => {
        const openid = library();
        const session = openIdSession({ n: 1 }, clock, HOUR);
        await openid.set("https://op.test|sub", session);
        clock = session.cookie.expires - 1;
        expect(await openid.get("https://op.test|sub")).toMatchObject({ data: { n: 1 } });
        clock += 1;
        expect(await openid.get("https://op.test|sub")).toBeUndefined();
        await openid.set("https://op.test|sub", openIdSession({ n: 2 }, clock, HOUR));
        expect(await openid.get("https://op.test|sub")).toMatchObject({ data: { n: 2 } });
        await openid.destroy("https://op.test|sub");
        await openid.set("https://op.test|sub", openIdSession({ n: 3 }, clock, HOUR));
        await openid.set("https://op.test|sub", openIdSession({ n: 4 }, clock, -1000));
        expect(await openid.get("https://op.test|sub")).toBeUndefined();
      });

      it("P2: a kill ends them, and a request that was under way does not bring them back", async () => {
        const openid = library();
        const sid = newId();
        await openid.set(sid, openIdSession({ n: 1 }, clock, HOUR));
        expect(await app.sessions.getSessionInfo({ scope: "library:openid" })).toHaveLength(1);
        expect(await app.sessions.killAllSessions()).toBe(2);
        expect(await openid.get(sid)).toBeUndefined();
        await expect(openid.set(sid, openIdSession({ n: 2 }, clock, HOUR))).rejects.toMatchObject({
          ...{ code: "SESSION_ENDED" },
        });
        clock += 2 * MINUTE;
        await openid.set(sid, openIdSession({ n: 3 }, clock, HOUR));
        expect(await openid.get(sid)).toMatchObject({ data: { n: 3 } });
      });

      it("P6: keeps their ids as hashes, and lets no id of ours open anything", async () => {
        const openid = library();
        const sid = newId();
        await openid.set(sid, openIdSession({ n: 1 }, clock, HOUR));
        expect((await every.bytesOf(inner)).includes(sid)).toBe(false);
        // What an attacker may send in the library's cookie: ids of ours, which are no secret, and of its own sessions.
        const [stored] = await app.sessions.getSessionInfo({ scope: "library:openid" });
        for (const known of [id, stored?.id ?? "", `sid=${sid}`]) {
          expect(await openid.get(known)).toBeUndefined();
          await openid.destroy(known);
        }
        expect(await library("another").get(sid)).toBeUndefined();
        expect(await own().get(stored?.id ?? "")).toBeUndefined();
        for (const one of [id, stored?.id ?? ""]) expect(await inner.load(one)).toBeDefined();
        expect((await app.get("/token", { cookie: `sid=${sid}` })).body).toBe('{"token":null,"keys":[]}');
      });

      it("P3: loses nothing where several requests start one at the same time", async () => {
        const openid = library();
        const sid = newId();
        const sets = Array.from({ length: 5 }, (_, n) => openid.set(sid, openIdSession({ n }, clock, HOUR)));
        await Promise.all(sets);
        expect(await openid.get(sid)).toMatchObject({ data: { n: expect.any(Number) } });
      });
    });

    describe("what goes wrong", () => {
      it("goes to the callback; without one it is emitted as `error`", async () => {
        const sessions = app.sessions.expressSessionStore();
        await expect(own().set(id, { toPrice: () => 1 })).rejects.toMatchObject({ code: "SESSION_VALUE" });
        store.fail("load", "rejects");
        await expect(own().get(id)).rejects.toMatchObject({ code: "SESSION_STORE" });
        store.recover();
        sessions.set(newId(), { n: 1 });
        sessions.destroy(undefined as unknown as string);
        sessions.set(id, null as unknown as object);
        await settled();
        while (app.errors.length < 3) await nextTurn();
        expect(app.errors.map((error) => (error as { code: string }).code).sort()).toEqual([
          ...["SESSION_ARGUMENT", "SESSION_ARGUMENT", "SESSION_ENDED"],
        ]);
      });

      it("is thrown where a callback is missing or the options are wrong", () => {
        const sessions = app.sessions.expressSessionStore();
        const get = () => (sessions.get as (id: string) => void)(id);
        expect(get).toThrow(expect.objectContaining({ code: "SESSION_ARGUMENT" }));
        for (const [options, hint] of [
          [{ library: "" }, "library:"],
          [{ library: "a b" }, "library:"],
          [{ library: 5 }, "library:"],
          [{ libary: "x" }, 'has no option "libary"; did you mean library?'],
        ] as const) {
          expect(() => app.sessions.expressSessionStore(options as object)).toThrow(
            expect.objectContaining({ code: "SESSION_ARGUMENT", message: expect.stringContaining(hint) }),
          );
        }
      });
    });
  });
});

it("a library that brings its own req.sessionStore keeps it", async () => {
  const mine = {};
  const app = await startApp((made) => {
    made.get("/", (req: Request, res) => {
      Object.assign(req, { sessionStore: mine });
      res.json(sessionStoreOf(req) === mine);
    });
  });
  expect((await app.get("/")).body).toBe("true");
  await app.close();
});
