import type { IncomingMessage } from "node:http";
import type { AdoptedSession } from "../../lib/session/adopted-session";
import type { SessionStore } from "../../lib/stores/store";
import { EXPRESSES, startApp } from "../support/app";
import type { AppOptions, RunningApp } from "../support/app";
import { describeOnEveryStore } from "../support/every-store";
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
    if (session === undefined || typeof id !== "string") return undefined;
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

  it("needs secrets", async () => {
    await expect(start({ adopt: () => undefined, secrets: [] })).rejects.toMatchObject({ code: "SESSION_CONFIG" });
  });
});
