import type { Express, Request } from "express";
import type { RequestSession } from "../../lib/session/session";
import { GUEST_USER } from "../../lib/record/session-record";
import { startApp } from "../support/app";
import type { RunningApp } from "../support/app";
import { describeOnEveryStore } from "../support/every-store";
import { FaultyStore } from "../support/faulty-store";
import { closedGate } from "../support/gate";
import type { Gate } from "../support/gate";
import { idOf } from "../support/session-life";

const MINUTE = 60_000;

/** What a request may want of a session that is ended under it, by the name of its path. */
const WANTS: Readonly<Record<string, (req: Request) => unknown>> = {
  set: (req) => req.session.set("a", 2),
  delete: (req) => req.session.delete("a"),
  "mark-changed": (req) => req.session.markChanged(),
  save: (req) => req.session.set("a", 2).save(),
  update: (req) => req.session.update("a", () => 2),
  touch: (req) => req.session.touch(),
  reload: (req) => req.session.reload(),
  logout: (req) => req.session.logout(),
  reset: (req) => req.session.reset(),
  rotate: async (req) => {
    const data = Object.fromEntries(req.session.items());
    await req.session.regenerate();
    await req.session.merge(data).save();
  },
  passport: async (req) => {
    await req.session.regenerate();
    req.session.set("passport", { user: "alice" });
  },
};

const userOf = (session: RequestSession) => (session.get("passport") as { user?: string } | undefined)?.user;

function routes(gate: () => Gate): (app: Express) => void {
  return (app) => {
    app.get("/prepare", (req, res) => {
      req.session.set("a", 1);
      req.session.set("passport", { user: "alice" });
      res.end();
    });
    app.get("/read", (req, res) => res.json({ a: req.session.get("a", null), owner: req.session.owner }));
    app.get("/hold/read", async (req, res) => {
      req.session.get("a");
      await gate().pass();
      res.end();
    });
    app.get("/hold/:want", async (req, res) => {
      req.session.get("a");
      await gate().pass();
      await WANTS[req.params.want]?.(req);
      res.end();
    });
    app.get("/login/:user", async (req, res) => {
      await req.session.login(req.params.user);
      res.end();
    });
    app.get("/hold-login", async (req, res) => {
      req.session.get("a");
      await gate().pass();
      await req.session.login("alice");
      res.end();
    });
    for (const want of ["set", "logout", "reset", "rotate"]) {
      app.all(`/${want}`, async (req, res) => {
        await WANTS[want]?.(req);
        res.end();
      });
    }
    app.get("/destroy", async (req, res) => {
      await req.session.destroy();
      res.end();
    });
  };
}

describeOnEveryStore("ended is final", (every) => {
  let store: FaultyStore;
  let app: RunningApp;
  let clock: number;
  let gate: Gate;
  let headers: { cookie: string };
  let id: string;

  beforeEach(async () => {
    clock = Date.now();
    const now = () => clock;
    store = new FaultyStore(await every.open({ now }));
    gate = closedGate();
    app = await startApp(
      routes(() => gate),
      { store, now, storeTimeout: "20s", userOf },
    );
    headers = { cookie: (await app.get("/prepare")).cookie ?? "" };
    id = idOf(headers.cookie);
  });

  afterEach(async () => {
    store.pause = undefined;
    store.recover();
    await app.close();
  });

  const liveIds = async (owner?: string) => {
    const infos = await app.sessions.getSessionInfo(owner === undefined ? {} : { username: owner });
    return infos.map((info) => info.id);
  };

  describe.each(Object.keys(WANTS))("a request in flight that wants to %s", (want) => {
    it.each(["kill", "expiry"])(
      "P2: gets SESSION_ENDED and no cookie after a %s, and brings nothing back",
      async (how) => {
        const held = app.get(`/hold/${want}`, headers);
        await gate.reached;
        if (how === "kill") await expect(app.sessions.kill(id)).resolves.toBe(true);
        else clock += 60 * MINUTE;
        gate.open();
        const answer = await held;
        expect(JSON.parse(answer.body)).toMatchObject({ code: "SESSION_ENDED" });
        expect(answer).toMatchObject({ status: 409, cookie: undefined });
        await expect(liveIds()).resolves.toEqual([]);
        expect(JSON.parse((await app.get("/read", headers)).body)).toEqual({ a: null, owner: GUEST_USER });
      },
    );
  });

  it("P2: a request in flight that only reads is answered, without a cookie", async () => {
    const held = app.get("/hold/read", headers);
    await gate.reached;
    await app.sessions.kill(id);
    gate.open();
    await expect(held).resolves.toMatchObject({ status: 200, cookie: undefined });
    await expect(liveIds()).resolves.toEqual([]);
  });

  it("P2: only a login goes on after a kill, with a session of its own", async () => {
    const held = app.get("/hold-login", headers);
    await gate.reached;
    await app.sessions.kill(id);
    gate.open();
    const { status, cookie } = await held;
    expect(status).toBe(200);
    expect(idOf(cookie)).not.toBe(id);
    await expect(liveIds()).resolves.toEqual([idOf(cookie)]);
  });

  it.each(["/logout", "/reset", "/rotate", "/destroy", "/login/bob"])(
    "P2: after %s the old cookie opens nothing, and saves nothing",
    async (path) => {
      const { cookie } = await app.get(path, headers);
      expect(cookie).not.toBe(headers.cookie);
      expect(JSON.parse((await app.get("/read", headers)).body)).toEqual({ a: null, owner: GUEST_USER });
      await expect(liveIds()).resolves.not.toContain(id);
      // Where there is a successor, it has the browser; without one, a write begins another session.
      const answer = await app.post("/set", headers);
      if (path !== "/destroy") expect(answer).toMatchObject({ status: 409, cookie: undefined });
      else expect(answer.cookie).not.toBe(headers.cookie);
      await expect(liveIds()).resolves.not.toContain(id);
    },
  );

  it("P2: a touch that is under way does not bring back what was killed meanwhile", async () => {
    const touch = closedGate();
    store.pause = (operation, moment) => (operation === "update" && moment === "before" ? touch.pass() : undefined);
    clock += 10 * MINUTE;
    await app.get("/read", headers);
    await touch.reached;
    await app.sessions.kill(id);
    touch.open();
    await store.idle();
    await expect(liveIds()).resolves.toEqual([]);
  });

  it.each(["update", "mutate"] as const)(
    "P2: a write by %s that comes late finds the session ended",
    async (operation) => {
      const write = closedGate();
      store.pause = (paused, moment) => (paused === operation && moment === "before" ? write.pass() : undefined);
      gate.open();
      const held = app.get(operation === "update" ? "/set" : "/hold/update", headers);
      await write.reached;
      await app.sessions.kill(id);
      write.open();
      await expect(held).resolves.toMatchObject({ status: 409, cookie: undefined });
      await expect(liveIds()).resolves.toEqual([]);
    },
  );

  it("P2: an idle limit that has passed is not renewed by a touch, also by one that was on its way", async () => {
    const touch = closedGate();
    store.pause = (operation, moment) => (operation === "mutate" && moment === "before" ? touch.pass() : undefined);
    clock += 60 * MINUTE - 1;
    expect(JSON.parse((await app.get("/read", headers)).body)).toMatchObject({ a: 1 });
    await touch.reached;
    clock += 1;
    touch.open();
    await store.idle();
    expect(JSON.parse((await app.get("/read", headers)).body)).toEqual({ a: null, owner: GUEST_USER });
    await expect(liveIds()).resolves.toEqual([]);
  });

  describe.each(["/rotate", "/login/alice", "/logout"])("a kill of a user during %s in the user's session", (path) => {
    it.each(["before", "after"] as const)(
      "P2: leaves nothing of what was there, %s the store has replaced it",
      async (at) => {
        const replace = closedGate();
        store.pause = (operation, moment) => (operation === "replace" && moment === at ? replace.pass() : undefined);
        const held = app.get(path, headers);
        await replace.reached;
        const ended = await app.sessions.killSessionByUser("alice");
        const left = await liveIds("alice");
        replace.open();
        const answer = await held;
        expect(left).toEqual([]);
        // Before, the old session is counted and only a login goes on; after, the new one is, unless it is a guest's.
        expect(ended).toBe(at === "after" && path === "/logout" ? 0 : 1);
        const isLater = at === "before" && path === "/login/alice";
        await expect(liveIds("alice")).resolves.toHaveLength(isLater ? 1 : 0);
        expect(answer.status).toBe(at === "before" && !isLater ? 409 : 200);
      },
    );
  });

  it("P2: a kill of a guest's session during its login stops it, or the login comes later", async () => {
    const guest = await app.get("/logout", headers);
    const replace = closedGate();
    store.pause = (operation, moment) => (operation === "replace" && moment === "before" ? replace.pass() : undefined);
    const held = app.get("/login/alice", { cookie: guest.cookie ?? "" });
    await replace.reached;
    await expect(app.sessions.killSessionByUser("alice")).resolves.toBe(0);
    await expect(app.sessions.kill(idOf(guest.cookie))).resolves.toBe(true);
    replace.open();
    await expect(liveIdsAfter(held)).resolves.toEqual([idOf((await held).cookie)]);
  });

  it("P2: a poll that was under way during the login reads as a guest, writes nothing and leaves the login alone", async () => {
    const login = await app.get("/login/alice", headers);
    expect(JSON.parse((await app.get("/read", headers)).body)).toEqual({ a: null, owner: GUEST_USER });
    expect(await app.post("/set", headers)).toMatchObject({ status: 409, cookie: undefined });
    expect(await app.get("/rotate", headers)).toMatchObject({ status: 200, cookie: undefined });
    const alice = { cookie: login.cookie ?? "" };
    expect(JSON.parse((await app.get("/read", alice)).body)).toMatchObject({ owner: "alice" });
    clock += MINUTE + 1;
    expect((await app.get("/set", headers)).cookie).toBeDefined();
  });

  async function liveIdsAfter(answer: Promise<unknown>): Promise<string[]> {
    await answer;
    return liveIds();
  }
});
