import { setTimeout as sleep } from "node:timers/promises";
import { startLiveApp } from "../support/live-app";
import type { Acts, EngineMiddleware, LiveApp } from "../support/live-app";

const TRANSPORTS: [string, string[]][] = [
  ["polling", ["polling"]],
  ["a websocket", ["websocket"]],
  ["polling, upgraded to a websocket", ["polling", "websocket"]],
];

const ACTS: Acts = {
  read: (session) => ({ views: session.views ?? 0, owner: session.owner }),
  reload: (session) => session.reload(),
  touch: (session) => session.touch(),
  save: (session) => session.save(),
  change: (session) => void (session.views = 100),
  update: (session) => session.update("views", (views = 0) => views + 1),
  add: (session) => session.set("seat", 7).save(),
  login: (session) => session.login("alice"),
  destroy: (session) => session.destroy(),
};

let app: LiveApp;
afterEach(() => app.close());

async function start(inEngine?: EngineMiddleware): Promise<void> {
  app = await startLiveApp(ACTS, inEngine);
}

describe.each(TRANSPORTS)("a Socket.IO socket over %s", (_name, transports) => {
  it("has its browser's session, and that session's owner", async () => {
    await start();
    const { cookie } = await app.get("/login");
    await app.get("/count", cookie);
    const act = await app.connect(transports, cookie);
    expect(await act("read")).toEqual({ views: 1, owner: "alice" });
  });

  it("sees by reload what a request has changed meanwhile", async () => {
    await start();
    const { cookie } = await app.get("/count");
    const act = await app.connect(transports, cookie);
    await app.get("/count", cookie);
    expect(await act("read")).toMatchObject({ views: 1 });
    expect(await act("reload")).toBe("done");
    expect(await act("read")).toMatchObject({ views: 2 });
  });

  it("P3: saves what it changed, and keeps what a request has changed meanwhile", async () => {
    await start();
    const { cookie } = await app.get("/count");
    const act = await app.connect(transports, cookie);
    await app.get("/count", cookie);
    expect(await act("add")).toBe("done");
    expect((await app.get("/read", cookie)).body).toContain('"views":2');
    expect(await act("change")).toBe("done");
    expect((await app.get("/read", cookie)).body).toContain('"views":2');
    expect(await act("save")).toBe("done");
    expect((await app.get("/read", cookie)).body).toContain('"views":100');
    expect(await act("update")).toBe(101);
    expect((await app.get("/read", cookie)).body).toContain('"views":101');
  });

  it("renews the session by touch", async () => {
    await start();
    const { cookie } = await app.get("/count");
    const act = await app.connect(transports, cookie);
    const seen = async () => (await app.sessions.getSessionInfo())[0]!.lastSeenAt.getTime();
    const before = await seen();
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await act("touch")).toBe("done");
    expect(await seen()).toBeGreaterThan(before);
  });

  it("P2: is told SESSION_ENDED by reload, touch and save once the session was killed, and revives nothing", async () => {
    await start();
    const { cookie } = await app.get("/login");
    const act = await app.connect(transports, cookie);
    await app.sessions.killSessionByUser("alice");
    expect(await act("touch")).toBe("SESSION_ENDED");
    expect(await act("reload")).toBe("SESSION_ENDED");
    await act("change");
    expect(await act("save")).toBe("SESSION_ENDED");
    expect(await app.sessions.getSessionInfo()).toEqual([]);
  });

  it("can end the session, but not sign in: no response is left that could carry a cookie", async () => {
    await start();
    const { cookie } = await app.get("/count");
    const act = await app.connect(transports, cookie);
    expect(await act("login")).toBe("SESSION_HEADERS_SENT");
    expect(await act("destroy")).toBe("done");
    expect(await app.sessions.getSessionInfo()).toEqual([]);
    expect(app.errors).toEqual([]);
  });

  it("P5: of a stranger costs no store call, and can't start a session", async () => {
    await start();
    const act = await app.connect(transports);
    expect(await act("read")).toEqual({ views: 0, owner: "__guest__" });
    expect(await act("change")).toBe("done");
    expect(await act("save")).toBe("SESSION_HEADERS_SENT");
    expect(await act("reload")).toBe("done");
    expect(await act("touch")).toBe("done");
    expect(app.calls).toEqual([]);
  });
});

describe.each(["polling", "websocket"] as const)("a handshake by %s", (transport) => {
  it("sets the cookie of a session that a middleware of the engine has created and saved", async () => {
    await start((req, _res, next) => {
      req.session.views = 10;
      req.session.save().then(() => next(), next);
    });
    const { "set-cookie": cookies, "cache-control": cacheControl } = (await app.handshake(transport)).headers;
    expect(cookies).toEqual([expect.stringMatching(/^sid=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/)]);
    expect(cacheControl).toBe("no-store");
    expect((await app.get("/read", cookies![0]!.split(";")[0])).body).toContain('"views":10');
  });

  it("saves what a middleware of the engine changes, also where it does not wait for that", async () => {
    await start((req, _res, next) => {
      req.session.views = (req.session.views ?? 0) + 10;
      next();
    });
    const { cookie } = await app.get("/count");
    expect((await app.handshake(transport, cookie)).headers["set-cookie"]).toBeUndefined();
    while (!(await app.get("/read", cookie)).body.includes('"views":11')) await sleep(1);
  });

  it("P5: of a stranger sets no cookie", async () => {
    await start((req, _res, next) => {
      void req.session.get("views");
      next();
    });
    expect((await app.handshake(transport)).headers["set-cookie"]).toBeUndefined();
    expect(app.calls).toEqual([]);
  });
});

describe("a websocket's handshake", () => {
  it("creates no session whose cookie would come too late, says so, and goes on", async () => {
    await start((req, _res, next) => {
      req.session.views = 10;
      next();
    });
    const { status, headers } = await app.handshake("websocket");
    expect([status, headers["set-cookie"]]).toEqual([101, undefined]);
    await app.get("/plain");
    expect(app.errors).toEqual([expect.objectContaining({ code: "SESSION_HEADERS_SENT" })]);
    expect(await app.sessions.getSessionInfo()).toEqual([]);
  });

  it("says what it could not save of a change that nobody waits for", async () => {
    await start((req, _res, next) => {
      req.session.set("f", () => 1);
      next();
    });
    const { cookie } = await app.get("/count");
    expect((await app.handshake("websocket", cookie)).status).toBe(101);
    await app.get("/plain");
    expect(app.errors).toEqual([expect.objectContaining({ code: "SESSION_VALUE" })]);
  });
});
