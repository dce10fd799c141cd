import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import compression from "compression";
import express from "express";
import type express5 from "express";
import { sessionMiddleware, sessionPages } from "../../lib/default-sessions";
import { Sessions } from "../../lib/sessions";
import { MemoryStore } from "../../lib/stores/memory-store";
import { requireSecurityKey } from "../../lib";
import type { SessionPagesOptions } from "../../lib";
import { EXPRESSES, send } from "../support/app";
import { eventStream } from "../support/event-stream";

const ID = "0123456789abcdef0123456789abcdef";
const JSON_BODY = { "content-type": "application/json" };

let open: Sessions[] = [];
let server: Server | undefined;
afterEach(async () => {
  for (const sessions of open) await sessions.close();
  open = [];
  server?.closeAllConnections();
  if (server !== undefined) await new Promise((resolve) => server!.close(resolve));
  server = undefined;
});

function newSessions(): Sessions {
  const sessions = new Sessions({ store: new MemoryStore(), clearSchedule: false });
  open.push(sessions);
  return sessions;
}

/** Serves an app, whose errors are sent as JSON; returns its address. */
async function served(app: express.Express): Promise<string> {
  app.set("env", "test");
  app.use((error: any, _req: express.Request, res: express.Response, _next: express.NextFunction) => {
    res.status(error.status ?? 500).json({ code: error.code, message: error.message });
  });
  server = createServer(app).listen(0, "127.0.0.1");
  await new Promise((resolve) => server!.once("listening", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function refusal(call: () => unknown): { code?: string; message?: string } {
  try {
    call();
  } catch (error) {
    return error as { code?: string; message?: string };
  }
  return {};
}

describe("sessionPages", () => {
  it("takes options that were typed before", () => {
    const options: SessionPagesOptions = { sessions: newSessions() };
    expect(sessionPages(options)).toBeInstanceOf(Function);
  });

  it("says so where it is called before sessionMiddleware, and works once that was called", async () => {
    expect(refusal(() => sessionPages())).toMatchObject({
      code: "SESSION_CONFIG",
      message:
        "sessionPages must be called after sessionMiddleware; with new Sessions(), write sessionPages({ sessions }).",
    });
    const middleware = sessionMiddleware({ store: new MemoryStore(), clearSchedule: false });
    open.push(middleware.sessions);
    const app = express().use(middleware).use("/session", sessionPages());
    const url = await served(app);
    expect((await send("GET", `${url}/session/pages.js`)).status).toBe(200);
    expect((await send("POST", `${url}/session/pages-open`, JSON_BODY, JSON.stringify({ id: ID }))).status).toBe(204);
  });

  it("says so where it is called twice for the same sessions, and serves any number of others", () => {
    const [sessions, others] = [newSessions(), newSessions()];
    sessionPages({ sessions });
    sessionPages({ sessions: others });
    expect(refusal(() => sessionPages({ sessions }))).toMatchObject({
      code: "SESSION_CONFIG",
      message: "sessionPages was called twice for the same sessions; mount it once, and load its script from there.",
    });
  });

  it("says so where it is mounted before the session middleware", async () => {
    const sessions = newSessions();
    const app = express().use("/session", sessionPages({ sessions })).use(sessions.middleware());
    const url = await served(app);
    for (const [method, what] of [
      ["POST", "open"],
      ["POST", "leave"],
      ["POST", "stay"],
      ["GET", "events"],
    ] as const) {
      const answer = await send(
        method,
        `${url}/session/pages-${what}`,
        JSON_BODY,
        method === "POST" ? "{}" : undefined,
      );
      expect([answer.status, JSON.parse(answer.body)]).toEqual([
        500,
        { code: "SESSION_CONFIG", message: "sessionPages must be mounted after sessionMiddleware." },
      ]);
    }
  });

  it("says so where it is mounted after the middleware of other sessions", async () => {
    const [sessions, others] = [newSessions(), newSessions()];
    const app = express().use(others.middleware()).use("/session", sessionPages({ sessions }));
    const url = await served(app);
    const answer = await send("POST", `${url}/session/pages-open`, JSON_BODY, JSON.stringify({ id: ID }));
    expect([answer.status, JSON.parse(answer.body)]).toMatchObject([
      500,
      { code: "SESSION_CONFIG", message: expect.stringContaining("other sessions than the session middleware") },
    ]);
  });

  it("says so where it is mounted without being called", async () => {
    const url = await served(express().use(sessionPages as unknown as express.Handler));
    const answer = await send("GET", url);
    expect([answer.status, JSON.parse(answer.body)]).toEqual([
      500,
      {
        code: "SESSION_CONFIG",
        message: "sessionPages was mounted without being called; write app.use(sessionPages()).",
      },
    ]);
  });

  it("leaves what it does not serve to the app", async () => {
    const sessions = newSessions();
    const app = express()
      .use(sessions.middleware())
      .use("/session", sessionPages({ sessions }))
      .use((_req, res) => void res.send("the app's"));
    const url = await served(app);
    for (const path of ["/session", "/session/other.js", "/session/pages-open", "/session/pages.js.map"]) {
      expect((await send("GET", url + path)).body).toBe("the app's");
    }
    expect((await send("POST", `${url}/session/pages.js`)).body).toBe("the app's");
  });

  it.each<[string, object, string]>([
    ["one that it does not have", { foo: 1 }, "There is no option foo"],
    ["one that is misspelt", { text: () => ({}) }, "did you mean texts?"],
    ["the path", { path: "/session" }, 'write app.use("/session", sessionPages())'],
    ["one of sessionMiddleware's", { killCheckInterval: 1 }, "write it in the options of sessionMiddleware"],
    ["texts that are no function", { texts: { title: "x" } }, "give a function of (about, req)"],
    [
      "the middleware for its sessions",
      { sessions: () => undefined },
      "give the .sessions of what sessionMiddleware() returned",
    ],
    ["what are no sessions", { sessions: { pages: [] } }, "give the .sessions of what sessionMiddleware() returned"],
    ["null", { sessions: null }, "leave it out for the default"],
  ])("refuses an option: %s", (_, options, message) => {
    const error = refusal(() => sessionPages(options));
    expect(error.code).toBe("SESSION_CONFIG");
    expect(error.message).toContain(message);
  });

  it.each([["/session"], [7], [[]], [new MemoryStore()]])("refuses what are no options: %p", (options) => {
    expect(refusal(() => sessionPages(options as object)).code).toBe("SESSION_CONFIG");
  });
});

describe.each(EXPRESSES)("pages among other middleware, on %s", (_name, express) => {
  /** A page says that it is open and that it is left; what the session counts in between and after. */
  async function countsOf(url: string, cookie: string): Promise<number[]> {
    const counts: number[] = [];
    for (const [what, type] of [
      ["open", "application/json"],
      ["leave", "text/plain;charset=UTF-8"],
    ] as const) {
      const body = JSON.stringify({ id: ID, path: "/", title: "" });
      const answer = await send("POST", `${url}/session/pages-${what}`, { cookie, "content-type": type }, body);
      expect(answer.status).toBe(what === "open" ? 200 : 204);
      counts.push((await open[0]!.getSessionInfo({ username: "alice" }))[0]!.activePages);
    }
    return counts;
  }

  function app(...before: express5.RequestHandler[]): express5.Express {
    const sessions = newSessions();
    const made = express();
    for (const each of before) made.use(each);
    made.use(sessions.middleware()).use("/session", sessionPages({ sessions }));
    made.get("/login", (req, res, next) => {
      req.session.login("alice").then(() => res.send("in"), next);
    });
    return made;
  }

  it.each<[string, express5.RequestHandler[]]>([
    ["none", []],
    ["JSON", [express.json()]],
    ["text", [express.text({ type: "*/*" })]],
    ["bytes", [express.raw({ type: "*/*" })]],
    ["all", [express.json(), express.urlencoded({ extended: true }), express.text()]],
  ])("are counted after parsers of bodies: %s", async (_, parsers) => {
    const url = await served(app(...parsers));
    const { cookie = "" } = await send("GET", `${url}/login`);
    expect(await countsOf(url, cookie)).toEqual([1, 0]);
  });

  it("need no security key where they are mounted before the guard of forms", async () => {
    const url = await served(app().use(express.urlencoded({ extended: false }), requireSecurityKey()));
    const { cookie = "" } = await send("GET", `${url}/login`);
    expect(await countsOf(url, cookie)).toEqual([1, 0]);
    expect((await send("POST", `${url}/form`, { cookie })).status).toBe(403);
  });

  it("are told at once behind compression", async () => {
    const url = await served(app(compression()));
    const { cookie = "" } = await send("GET", `${url}/login`);
    const stream = await eventStream(`${url}/session/pages-events`, { cookie, "accept-encoding": "gzip" });
    expect(stream.headers["content-encoding"]).toBeUndefined();
    await open[0]!.killSessionByUser("alice");
    expect(await stream.has(1)).toMatchObject([{ event: "ended" }]);
  });
});
