import type { IncomingMessage } from "node:http";
import type { AdoptedSession } from "../../lib/session/adopted-session";
import type { SessionStore } from "../../lib/stores/store";
import { EXPRESSES, startApp } from "../support/app";
import type { AppOptions, RunningApp } from "../support/app";
import { eventually } from "../support/eventually";
import { describeOnEveryStore } from "../support/every-store";
import { setCookie } from "../support/set-cookie";
import { watchedStore } from "../support/watched-store";

const secrets = ["a secret of the tests, which has more than 32 bytes"];

/** Another library's sessions, by the `old` header that stands for its cookie. */
class OldSessions {
  readonly live = new Map<string, Omit<AdoptedSession, "id" | "ended">>();
  asked = 0;
  readonly ended: string[] = [];

  readonly adopt = async ({ headers: { old: id } }: IncomingMessage) => {
    this.asked += 1;
    const session = typeof id === "string" ? this.live.get(id) : undefined;
    if (typeof id !== "string") return undefined;
    if (session === undefined) return { id };
    return { id, ...session, ended: () => this.live.delete(id) && this.ended.push(id) };
  };
}

const start = (options: AppOptions) =>
  startApp(
    (app) => {
      app.get("/", (req, res) => res.json({ owner: req.session.owner, tea: req.session.get("tea") ?? null }));
      app.post("/login", async (req, res) => {
        await req.session.login("bob");
        res.end();
      });
      app.all("/write", (req, res) => {
        req.session.set("written", true);
        res.end();
      });
    },
    { secrets, ...options },
  );

describeOnEveryStore("adopt", (every) => {
  let store: SessionStore;
  let app: RunningApp;
  let old: OldSessions;

  describe.each(EXPRESSES)("%s", (_name, express) => {
    beforeEach(async () => {
      old = new OldSessions();
      store = await every.open();
      app = await start({ express, store, adopt: old.adopt });
    });
    afterEach(() => app.close());

    it("takes over another library's session with its data and user, and ends the old one", async () => {
      old.live.set("1", { data: { tea: "black", get: "a reserved name" }, user: 7 });
      const first = await app.get("/", { old: "1" });
      expect(JSON.parse(first.body)).toEqual({ owner: "7", tea: "black" });
      expect(first.headers["cache-control"]).toBe("no-store");
      expect(old.ended).toEqual(["1"]);
      const { asked } = old;
      const second = await app.get("/", { cookie: first.cookie, old: "1" });
      expect(JSON.parse(second.body)).toEqual({ owner: "7", tea: "black" });
      expect(second.cookie).toBeUndefined();
      expect(old.asked).toBe(asked);
    });

    it("opens what was taken over for a request that comes with the old cookie when the old session is gone", async () => {
      old.live.set("1", { data: { tea: "black" }, user: "alice" });
      const first = await app.get("/", { old: "1" });
      expect(old.live.size).toBe(0);
      const late = await app.get("/", { old: "1" });
      expect([late.body, late.cookie]).toEqual([first.body, first.cookie]);
      await app.get("/write", { old: "1" });
      expect(await app.sessions.getSessionInfo()).toHaveLength(1);
      await app.sessions.killSessionByUser("alice");
      const over = await app.get("/", { old: "1" });
      expect([JSON.parse(over.body).owner, over.cookie]).toEqual(["__guest__", undefined]);
    });

    it("makes nothing of the id of a session that was never taken over, and lets its visitor sign in", async () => {
      const guest = await app.get("/", { old: "2" });
      expect([JSON.parse(guest.body).owner, guest.cookie]).toEqual(["__guest__", undefined]);
      expect(await app.sessions.getSessionInfo()).toEqual([]);
      const { cookie } = await app.post("/login", { old: "2" });
      expect(JSON.parse((await app.get("/", { cookie, old: "2" })).body).owner).toBe("bob");
    });

    it("remembers a user who was remembered", async () => {
      for (const [id, remember, hours] of [
        ["1", true, 30 * 24],
        ["2", false, 1],
      ] as const) {
        old.live.set(id, { data: {}, user: id, remember });
        const { attributes } = setCookie(await app.get("/", { old: id }));
        expect(Math.ceil(Number(attributes["Max-Age"]) / 3_600)).toBe(remember ? hours : NaN);
        const [info] = await app.sessions.getSessionInfo({ username: id });
        expect(info!.expiresAt!.getTime() - info!.createdAt.getTime()).toBeCloseTo(hours * 3_600_000, -5);
      }
    });

    it("P8: moves the idle limit of what it opens by the old cookie alone", async () => {
      let now = Date.now();
      const clocked = await start({ express, store, adopt: old.adopt, now: () => now, idleTimeout: "1h" });
      old.live.set("1", { data: {}, user: "alice" });
      await clocked.get("/", { old: "1" });
      for (let times = 0; times < 3; times += 1) {
        now += 45 * 60_000;
        expect(JSON.parse((await clocked.get("/", { old: "1" })).body).owner).toBe("alice");
        const seenAt = async () => (await clocked.sessions.getSessionInfo())[0]?.lastSeenAt.getTime();
        await eventually(async () => (await seenAt()) === now);
      }
      await clocked.close();
    });

    it("gives no lasting cookie to who was not remembered, even where all limits are alike", async () => {
      const limits = { idleTimeout: "30d", absoluteTimeout: "30d", rememberTimeout: "30d" } as const;
      const alike = await start({ express, store, adopt: old.adopt, ...limits });
      old.live.set("1", { data: {}, user: "alice" });
      expect(setCookie(await alike.get("/", { old: "1" })).attributes).not.toHaveProperty("Max-Age");
      await alike.close();
    });

    it("takes over a guest's session, and asks where the cookie opens nothing", async () => {
      old.live.set("1", { data: { tea: "green" }, user: null });
      const forged = (await app.get("/write")).cookie;
      await app.sessions.killAllSessions();
      const answer = await app.get("/", { cookie: forged, old: "1" });
      expect(JSON.parse(answer.body)).toEqual({ owner: "__guest__", tea: "green" });
      expect(answer.cookie).toBeDefined();
    });

    it("makes one session of parallel requests to two instances", async () => {
      old.live.set("1", { data: { tea: "black" }, user: "alice" });
      let arrived = 0;
      const { adopt } = old;
      const together = async (req: IncomingMessage) => {
        const found = await adopt(req);
        arrived += 1;
        while (arrived < 6) await new Promise((resolve) => setTimeout(resolve, 5));
        return found;
      };
      const [one, two] = await Promise.all([0, 1].map(() => start({ express, store, adopt: together })));
      const answers = await Promise.all([one, two, one, two, one, two].map((each) => each?.get("/", { old: "1" })));
      expect(new Set(answers.map((answer) => answer?.body))).toEqual(new Set(['{"owner":"alice","tea":"black"}']));
      expect(new Set(answers.map((answer) => answer?.cookie)).size).toBe(1);
      expect(await app.sessions.getSessionInfo()).toHaveLength(1);
      expect(old.ended).toEqual(["1"]);
      for (const each of [one, two]) await each?.close();
    });

    it("fails where ended() fails, and goes on with the same session then", async () => {
      let isDown = true;
      const failing = await start({
        ...{ express, store },
        adopt: () => ({
          ...{ id: "1", data: {}, user: "alice" },
          ended: () => (isDown ? Promise.reject(new Error("down")) : undefined),
        }),
      });
      const failed = await failing.get("/");
      expect([failed.status, failed.cookie]).toEqual([503, undefined]);
      isDown = false;
      expect((await failing.get("/")).cookie).toBeDefined();
      expect(await app.sessions.getSessionInfo()).toHaveLength(1);
      await failing.close();
    });

    it("lets no request with the old cookie start a session beside the one that has logged in meanwhile", async () => {
      const kept = await start({ express, store, adopt: () => ({ id: "1", data: {}, user: "alice" }) });
      const { cookie } = await kept.get("/");
      const login = await kept.post("/login", { cookie });
      expect(login.cookie).toBeDefined();
      const late = await kept.post("/write");
      expect([late.status, JSON.parse(late.body).code, late.cookie]).toEqual([409, "SESSION_ENDED", undefined]);
      expect(JSON.parse((await kept.get("/", { cookie: login.cookie })).body).owner).toBe("bob");
      await kept.close();
    });

    it("counts what it took over among the sessions of its user", async () => {
      let count = 0;
      const adopt = () => ({ id: String((count += 1)), data: {}, user: "alice" });
      const limited = await start({ express, store, adopt, maxSessionsPerUser: 1 });
      await limited.get("/");
      await limited.get("/");
      expect(await limited.sessions.getSessionInfo()).toHaveLength(1);
      await limited.close();
    });

    it("does not bring back a session that was ended, even if the old one is still there", async () => {
      const kept = await start({ express, store, adopt: () => ({ id: "1", data: {}, user: "alice" }) });
      expect((await kept.get("/")).cookie).toBeDefined();
      expect(await app.sessions.killSessionByUser("alice")).toBe(1);
      const after = await kept.get("/");
      expect(JSON.parse(after.body).owner).toBe("__guest__");
      expect(after.cookie).toBeUndefined();
      await kept.close();
    });
  });
});

describe("what adopt may not do", () => {
  it.each([
    [
      "throws",
      () => {
        throw new Error("down");
      },
      503,
      "SESSION_STORE",
    ],
    ["rejects", () => Promise.reject(new Error("down")), 503, "SESSION_STORE"],
    ["hangs", () => new Promise(() => undefined), 503, "SESSION_STORE_TIMEOUT"],
    ["returns null", () => null, 500, "SESSION_ARGUMENT"],
    ["gives no id", () => ({ data: {}, user: "alice" }), 500, "SESSION_ARGUMENT"],
    ["gives no data", () => ({ id: "1", user: "alice" }), 500, "SESSION_ARGUMENT"],
    ["gives a wrong user", () => ({ id: "1", data: {}, user: {} }), 500, "SESSION_ARGUMENT"],
    ["gives a wrong remember", () => ({ id: "1", data: {}, remember: "yes" }), 500, "SESSION_ARGUMENT"],
    ["gives a wrong ended", () => ({ id: "1", data: {}, ended: 1 }), 500, "SESSION_ARGUMENT"],
    ["gives a function", () => ({ id: "1", data: { tea: { pot: () => 1 } } }), 500, "SESSION_VALUE"],
  ])("fails the request where it %s", async (_what, adopt, status, code) => {
    const app = await start({ adopt: adopt as never, storeTimeout: "200ms" });
    const answer = await app.get("/");
    expect([answer.status, JSON.parse(answer.body).code, answer.cookie]).toEqual([status, code, undefined]);
    if (code === "SESSION_VALUE") expect(answer.body).toContain("tea.pot");
    expect(await app.sessions.getSessionInfo()).toEqual([]);
    await app.close();
  });

  it("P5: costs no store call where it returns undefined", async () => {
    const { store, calls } = watchedStore();
    const app = await start({ store, adopt: () => undefined });
    await app.get("/");
    expect(calls).toEqual([]);
    await app.close();
  });

  it("costs a load where it returns the id of a session that is gone", async () => {
    const { store, calls } = watchedStore();
    const app = await start({ store, adopt: () => ({ id: "1" }) });
    await app.get("/");
    expect(calls).toEqual(["load"]);
    await app.close();
  });

  it("needs secrets", async () => {
    await expect(start({ adopt: () => undefined, secrets: [] })).rejects.toMatchObject({ code: "SESSION_CONFIG" });
  });
});
