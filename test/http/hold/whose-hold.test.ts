import http from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Express, Request, RequestHandler, Response } from "express";
import { Sessions } from "../../../lib/sessions";
import { EXPRESSES, send } from "../../support/app";
import { watchedStore } from "../../support/watched-store";

/** How long a store takes for a write, in milliseconds: long enough that a byte that does not wait for it is seen. */
const SLOW = 30;

/** Opens nothing, and so is asked of the store. */
const UNKNOWN = "A".repeat(43);

let server: http.Server | undefined;
const opened: Sessions[] = [];

afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => server?.close(resolve));
  await Promise.all(opened.splice(0).map((sessions) => sessions.close()));
});

/** A middleware of its own sessions, on a store that is slow to write, and takes so long for a load. */
function sessionsNamed(name: string, log: string[], loadMs?: number): RequestHandler {
  const { store } = watchedStore((method) => {
    if (method === "create") return sleep(SLOW).then(() => void log.push(`create ${name}`));
    return method === "load" && loadMs !== undefined ? sleep(loadMs) : undefined;
  });
  const sessions = new Sessions({ store, cookie: { name }, clearSchedule: false });
  opened.push(sessions);
  return sessions.middleware();
}

/** What the client gets: the body, and the names of the cookies. Notes in the log when it comes. */
async function ask(app: Express, log: string[], headers: http.OutgoingHttpHeaders = {}) {
  const running = http.createServer(app);
  server = running;
  await new Promise<void>((resolve) => running.listen(0, "127.0.0.1", resolve));
  const answer = await send("GET", `http://127.0.0.1:${(running.address() as AddressInfo).port}/`, headers);
  log.push("answer");
  const cookies = (answer.headers["set-cookie"] ?? []).map((cookie) => cookie.split("=")[0]);
  return { body: answer.body, cookies: cookies.sort() };
}

/** Another request than the one of the client: what an app makes that sends one on to a part of its own. */
function anotherRequest(req: Request): Request {
  const { method, headers } = req;
  return Object.assign(new http.IncomingMessage(req.socket), { method, headers, url: "/other" }) as Request;
}

describe.each(EXPRESSES)("whose response is held, on %s", (_name, express) => {
  it.each<[string, (res: Response, req: Request) => void]>([
    ["is gone", (res) => Reflect.deleteProperty(res, "req")],
    ["is another one", (res, req) => (res.req = anotherRequest(req))],
    ["is derived from it", (res, req) => (res.req = Object.create(req) as Request)],
    ["is a proxy of it", (res, req) => (res.req = new Proxy(req, {}))],
  ])("P1: waits for its session although the request that it names %s", async (_change, change) => {
    const log: string[] = [];
    const app = express().use(sessionsNamed("a", log));
    app.get("/", (req, res) => {
      req.session.views = 1;
      change(res, req);
      res.end("body");
    });
    expect(await ask(app, log)).toEqual({ body: "body", cookies: ["a"] });
    expect(log).toEqual(["create a", "answer"]);
  });

  it("P1: waits for the session of the client's request where another app answers another one in its place", async () => {
    const log: string[] = [];
    const app = express().use(sessionsNamed("a", log));
    const other = express().get("/other", (_req, res) => void res.send("body"));
    app.get("/", (req, res) => {
      req.session.views = 1;
      other(anotherRequest(req), res);
    });
    expect(await ask(app, log)).toEqual({ body: "body", cookies: ["a"] });
    expect(log).toEqual(["create a", "answer"]);
  });

  it("P1: waits for both sessions where that app has its own", async () => {
    const log: string[] = [];
    const app = express().use(sessionsNamed("a", log));
    const other = express().use(sessionsNamed("b", log));
    other.get("/other", (req, res) => {
      req.session.views = 2;
      res.send("body");
    });
    app.get("/", (req, res) => {
      req.session.views = 1;
      other(anotherRequest(req), res);
    });
    expect(await ask(app, log)).toEqual({ body: "body", cookies: ["a", "b"] });
    expect(log.sort()).toEqual(["answer", "create a", "create b"]);
  });

  it("P1: waits for both of two middlewares that load at the same time", async () => {
    const log: string[] = [];
    const app = express();
    const [quick, late] = [sessionsNamed("a", log, 1), sessionsNamed("b", log, 10)];
    app.use((req, res, next) => {
      let loaded = 0;
      const both = () => {
        req.session.views = 1;
        if ((loaded += 1) === 2) next();
      };
      void quick(req, res, both);
      void late(req, res, both);
    });
    app.get("/", (_req, res) => void res.send("body"));
    const cookie = `a=${UNKNOWN}; b=${UNKNOWN}`;
    expect(await ask(app, log, { cookie })).toEqual({ body: "body", cookies: ["a", "b"] });
    expect(log.sort()).toEqual(["answer", "create a", "create b"]);
  });

  it.each(["first", "last"])("P1: waits for both where the %s middleware is given a derived request", async (which) => {
    const log: string[] = [];
    const app = express();
    const onDerived: RequestHandler = (req, res, next) => {
      const derived = Object.create(req) as Request;
      const goOn = () => {
        derived.session.views = 1;
        next();
      };
      void sessionsOfDerived(derived, res, goOn);
    };
    const sessionsOfDerived = sessionsNamed("a", log);
    const middlewares = [onDerived, sessionsNamed("b", log)];
    app.use(which === "first" ? middlewares : middlewares.reverse());
    app.get("/", (req, res) => {
      req.session.views = 1;
      res.send("body");
    });
    expect(await ask(app, log)).toEqual({ body: "body", cookies: ["a", "b"] });
    expect(log.sort()).toEqual(["answer", "create a", "create b"]);
  });

  it("shows a handler that it is on its way also through what is derived from it, or a proxy", async () => {
    const log: string[] = [];
    const seen: unknown[] = [];
    const app = express().use(sessionsNamed("a", log));
    app.get("/", (req, res) => {
      req.session.views = 1;
      res.end("body");
      for (const view of [Object.create(res) as Response, new Proxy(res, {})]) {
        seen.push(view.headersSent, view.writableEnded);
      }
    });
    await ask(app, log);
    expect(seen).toEqual([true, true, true, true]);
  });
});
