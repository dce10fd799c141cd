import type { Request } from "express";
import { MemoryStore } from "../../../lib/stores/memory-store";
import { startApp } from "../../support/app";
import type { RunningApp } from "../../support/app";

/** Fails what it is told to. */
class BreakableStore extends MemoryStore {
  broken = false;
  override async create(...args: Parameters<MemoryStore["create"]>): Promise<void> {
    this.#check();
    return super.create(...args);
  }
  override async replace(...args: Parameters<MemoryStore["replace"]>): Promise<boolean> {
    this.#check();
    return super.replace(...args);
  }
  override async end(...args: Parameters<MemoryStore["end"]>): Promise<boolean> {
    this.#check();
    return super.end(...args);
  }
  #check(): void {
    if (this.broken) throw new Error("out of order");
  }
}

type Act = (req: Request) => unknown;

describe("what happens in between", () => {
  let app: RunningApp;
  let store: BreakableStore;
  let act: Act;
  let cookie: string;

  beforeEach(async () => {
    store = new BreakableStore();
    app = await startApp(
      (express) => {
        express.get("/start", (req, res) => {
          req.session.set("a", 1).set("o", { n: 1 });
          res.end();
        });
        express.get("/act", async (req, res) => {
          await act(req);
          res.send("done");
        });
        express.get("/data", (req, res) => {
          res.json({ owner: req.session.owner, data: Object.fromEntries(req.session.items()) });
        });
      },
      { store },
    );
    cookie = (await app.get("/start")).cookie ?? "";
  });

  afterEach(() => app.close());

  const data = async (of = cookie) => JSON.parse((await app.get("/data", { cookie: of })).body) as unknown;

  it.each<[string, Act]>([
    ["login", (req) => new Promise((done) => void req.session.login("alice", done))],
    ["logout", (req) => new Promise((done) => void req.session.logout(done))],
    ["reset", (req) => new Promise((done) => void req.session.reset(done))],
    ["destroy", (req) => new Promise((done) => void req.session.destroy(done))],
  ])("P7: a %s that failed is no success, although the app did not look at the error", async (_name, failing) => {
    act = failing;
    store.broken = true;
    const answer = await app.get("/act", { cookie });
    expect([answer.status, answer.cookie]).toEqual([503, undefined]);
    store.broken = false;
    expect(await data()).toMatchObject({ data: { a: 1 } });
  });

  it("tells the browser of a login that was stored, also where a later save is refused", async () => {
    act = async (req) => {
      await req.session.login("alice");
      req.session.set("f", () => 1);
    };
    const answer = await app.get("/act", { cookie });
    expect([answer.status, JSON.parse(answer.body)]).toMatchObject([500, { code: "SESSION_VALUE" }]);
    expect(await data(answer.cookie)).toEqual({ owner: "alice", data: {} });
    expect(answer.headers.vary).toBe("Cookie");
  });

  it("P2: sends no cookie of a session that was ended right after it began", async () => {
    act = async (req) => {
      await req.session.login("alice");
      await app.sessions.killSessionByUser("alice");
      req.session.set("b", 2);
    };
    const answer = await app.get("/act", { cookie });
    expect([answer.status, answer.cookie]).toEqual([409, undefined]);
  });

  it("lets a browser whose session was destroyed start another at once", async () => {
    act = (req) => req.session.destroy();
    await app.get("/act", { cookie });
    act = (req) => req.session.set("b", 2);
    const answer = await app.get("/act", { cookie });
    expect(answer.status).toBe(200);
    expect(await data(answer.cookie)).toMatchObject({ data: { b: 2 } });
  });

  it("keeps what is set while a login is under way", async () => {
    act = async (req) => {
      const login = req.session.login("alice");
      req.session.set("theme", "dark");
      await login;
    };
    const answer = await app.get("/act", { cookie });
    expect(await data(answer.cookie)).toEqual({ owner: "alice", data: { theme: "dark" } });
  });

  it("P3: of an update and a set that comes after it, the set wins", async () => {
    act = async (req) => {
      const update = req.session.update("a", (n) => (n as number) + 1);
      req.session.set("a", 100);
      await update;
    };
    await app.get("/act", { cookie });
    expect(await data()).toMatchObject({ data: { a: 100 } });
  });

  it("says nobody ended a guest's session when the guest logs in", async () => {
    let id = "";
    act = (req) => ((id = req.session.id), req.session.login("alice"));
    await app.get("/act", { cookie });
    expect(await app.sessions.getSession(id)).toMatchObject({ endReason: "login", endedBy: null });
  });

  it("shows how long the cookie of a remembered session lives", async () => {
    act = (req) => req.session.login("alice", { remember: true });
    const { cookie: remembered } = await app.get("/act", { cookie });
    let maxAge: number | null = null;
    act = (req) => (maxAge = req.session.cookie.maxAge);
    await app.get("/act", { cookie: remembered });
    expect(maxAge).toBeGreaterThan(29 * 24 * 3_600_000);
  });

  it.each([null, "remember", 5, { remember: "false" }, { remember: 1 }])(
    "refuses login options such as %j, and leaves the session as it is",
    async (options) => {
      act = (req) => req.session.login("alice", options as never);
      const answer = await app.get("/act", { cookie });
      expect(JSON.parse(answer.body)).toMatchObject({ code: "SESSION_ARGUMENT" });
      expect(await data()).toMatchObject({ owner: "__guest__", data: { a: 1 } });
    },
  );

  it("clears no more once it is closed", async () => {
    await app.sessions.close();
    expect(() => app.sessions.startClearSessions()).toThrow(expect.objectContaining({ code: "SESSION_CLOSED" }));
  });
});
