import { MemoryStore } from "../../lib/stores/memory-store";
import { FaultyStore } from "../support/faulty-store";
import { SOCKET_SERVERS, startSocketApp } from "../support/socket-app";
import type { Acts, SocketApp, SocketAppOptions, SocketServer } from "../support/socket-app";

/** Takes a Node callback, and tells its client what that was given. */
type Callback = (error?: unknown) => void;
const told = (call: (callback: Callback) => unknown) => (reply: (text: string) => void) =>
  call((error) => reply(error === undefined ? "done" : ((error as { code?: string }).code ?? String(error))));

const ACTS: Acts = {
  owner: (session) => session.owner,
  count: (session) => {
    session.views = (session.views ?? 0) + 1;
    void session.save();
  },
  assign: (session) => void (session.views = 1),
  save: (session) => told((callback) => session.save(callback)),
  saveOne: (session) => told((callback) => session.set("views", 1).save(callback)),
  destroy: (session) => told((callback) => session.destroy(callback)),
  login: (session) => told((callback) => session.login("bob", callback)),
  logout: (session) => told((callback) => session.logout(callback)),
  reset: (session) => told((callback) => session.reset(callback)),
  regenerate: (session) => told((callback) => session.regenerate(callback)),
};

let app: SocketApp;
let store: FaultyStore;
afterEach(() => app.close());

async function start(kind: SocketServer, options: SocketAppOptions = {}): Promise<void> {
  store = new FaultyStore(new MemoryStore());
  app = await startSocketApp(kind, ACTS, { store, ...options });
}

/** What was emitted as `error`, once there is one. */
async function firstError(): Promise<unknown> {
  while (app.errors.length === 0) await new Promise((resolve) => setImmediate(resolve));
  return app.errors.map(({ code }) => code);
}

describe.each(SOCKET_SERVERS)("a websocket of %s", (kind) => {
  it("has its user behind a proxy that terminates TLS, where the app trusts that", async () => {
    await start(kind, { trustProxy: 1, behindProxy: true });
    const warn = jest.spyOn(process, "emitWarning").mockImplementation(() => undefined);
    const { cookie } = await app.get("/login");
    expect(cookie).toMatch(/^__Host-sid=/);
    const act = await app.connect({ cookie: cookie! });
    expect(await act("owner")).toBe("alice");
    expect(warn).not.toHaveBeenCalled();
    warn.mockRestore();
  });

  it("takes over another library's session only where the handshake's response carries a cookie", async () => {
    let asked = 0;
    const adopt = () => ({ id: String((asked += 1)), data: {}, user: "alice" });
    await start(kind, { secrets: ["a secret of the tests, which has more than 32 bytes"], adopt });
    const { "set-cookie": cookies } = await app.handshake();
    expect(cookies?.length ?? 0).toBe(asked);
  });

  it("reports a change after the session was killed, and the process lives on", async () => {
    await start(kind);
    const { cookie } = await app.get("/login");
    const act = await app.connect({ cookie: cookie! });
    await app.sessions.killSessionByUser("alice");
    expect(await act("count")).toBe("done");
    expect(await firstError()).toEqual(["SESSION_ENDED"]);
    expect(await app.sessions.getSessionInfo()).toEqual([]);
  });

  it("reports a change while the store is down, and the process lives on", async () => {
    await start(kind);
    const { cookie } = await app.get("/login");
    const act = await app.connect({ cookie: cookie! });
    store.fail("update", "rejects");
    expect(await act("count")).toBe("done");
    expect(await firstError()).toEqual(["SESSION_STORE"]);
  });

  it("of a guest keeps what is assigned, and fails to save it", async () => {
    await start(kind);
    const act = await app.connect();
    expect(await act("assign")).toBe("done");
    expect(app.errors).toEqual([]);
    expect(await act("save")).toBe("SESSION_HEADERS_SENT");
    expect(await act("count")).toBe("done");
    expect(await firstError()).toEqual(["SESSION_HEADERS_SENT"]);
    expect(await app.sessions.getSessionInfo()).toEqual([]);
  });

  it.each(["login", "logout", "reset", "regenerate"])(
    "can't be given a new cookie: %s fails, and the session stays as it is",
    async (what) => {
      await start(kind);
      const { cookie } = await app.get("/login");
      const before = await app.sessions.getSessionInfo();
      const act = await app.connect({ cookie: cookie! });
      expect(await act(what)).toBe("SESSION_HEADERS_SENT");
      expect(await act("saveOne")).toBe("done");
      expect((await app.sessions.getSessionInfo()).map(({ id }) => id)).toEqual(before.map(({ id }) => id));
      expect((await app.get("/read", { cookie: cookie! })).body).toBe('{"views":1,"owner":"alice"}');
    },
  );

  it("can end the session", async () => {
    await start(kind);
    const { cookie } = await app.get("/login");
    const act = await app.connect({ cookie: cookie! });
    expect(await act("destroy")).toBe("done");
    expect(await app.sessions.getSessionInfo()).toEqual([]);
    expect((await app.get("/read", { cookie: cookie! })).body).toContain("__guest__");
  });
});

describe.each(["engine-io-6-6-11", "engine-io-6-6-12", "engine-io-6-6-13", "ws"] as const)(
  "a websocket of %s behind a proxy whose app does not trust it",
  (kind) => {
    it("has the user of its prefixed cookie all the same, and that is warned of once", async () => {
      await start(kind, { trustProxy: 1, behindProxy: true });
      const { cookie } = await app.get("/login");
      app.express.set("trust proxy", false);
      const warn = jest.spyOn(process, "emitWarning").mockImplementation(() => undefined);
      for (let n = 0; n < 2; n += 1) {
        const act = await app.connect({ cookie: cookie! });
        expect(await act("owner")).toBe("alice");
      }
      expect(warn.mock.calls.map(([, options]) => options)).toEqual([
        { type: "CoatcheckWarning", code: "SESSION_INSECURE" },
      ]);
      warn.mockRestore();
    });
  },
);

describe.each(SOCKET_SERVERS)("a websocket of %s on plain HTTP", (kind) => {
  it("has the user of its bare cookie, where another app of localhost has left a prefixed one", async () => {
    await start(kind);
    const warn = jest.spyOn(process, "emitWarning").mockImplementation(() => undefined);
    const { cookie } = await app.get("/login");
    const act = await app.connect({ cookie: `__Host-sid=${"A".repeat(43)}; ${cookie!}` });
    expect(await act("owner")).toBe("alice");
    expect(warn).not.toHaveBeenCalled();
    warn.mockRestore();
  });
});

describe.each(["engine-io-6-6-11", "engine-io-6-6-12", "engine-io-6-6-13"] as const)("a handshake of %s", (kind) => {
  it("carries the cookie of a session that a middleware has saved in it", async () => {
    await start(kind, {
      inHandshake: (req, next) => {
        req.session!.views = 10;
        void req.session!.save(next);
      },
    });
    const { "set-cookie": cookies } = await app.handshake();
    expect(cookies).toEqual([expect.stringMatching(/^sid=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/)]);
    expect((await app.get("/read", { cookie: cookies![0]!.split(";")[0]! })).body).toContain('"views":10');
  });

  it("goes on where what a middleware has changed can't be saved any more, and reports it", async () => {
    await start(kind, {
      inHandshake: (req, next) => {
        req.session!.views = 10;
        next();
      },
    });
    const act = await app.connect();
    expect(await act("owner")).toBe("__guest__");
    expect(await firstError()).toEqual(["SESSION_HEADERS_SENT"]);
  });
});

describe("a handshake that is sent at once", () => {
  it("stores nothing that a middleware has saved without waiting, as its cookie would come too late", async () => {
    const failures: unknown[] = [];
    await start("engine-io-6-6-11", {
      inHandshake: (req, next) => {
        req.session!.views = 10;
        void req.session!.save((error) => failures.push((error as { code?: string } | null)?.code));
        next();
      },
    });
    const { "set-cookie": cookies } = await app.handshake();
    expect(cookies).toBeUndefined();
    expect(await app.sessions.getSessionInfo()).toEqual([]);
    expect(failures).toEqual(["SESSION_HEADERS_SENT"]);
  });
});
