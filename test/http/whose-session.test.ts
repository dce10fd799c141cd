import http from "node:http";
import type { AddressInfo } from "node:net";
import type { Express, Request, RequestHandler } from "express";
import type { SessionOptions } from "../../lib/options/session-options";
import { currentSession } from "../../lib/session/current-session";
import { Sessions } from "../../lib/sessions";
import { MemoryStore } from "../../lib/stores/memory-store";
import { EXPRESSES, send, startApp } from "../support/app";
import type { RunningApp } from "../support/app";
import { countingRoutes } from "../support/counting-routes";
import { describeOnEveryStore } from "../support/every-store";
import { watchedStore } from "../support/watched-store";

/** As JavaScript has it; TypeScript lets nobody delete what a type says is there. */
interface DeletableSession {
  session?: Request["session"];
}

let app: RunningApp;
let warnings: string[];
/** What a test has started beside `app`. */
let closings: (() => unknown)[];
beforeEach(() => {
  closings = [];
  warnings = [];
  jest.spyOn(process, "emitWarning").mockImplementation((warning) => void warnings.push(String(warning)));
});
afterEach(async () => {
  jest.restoreAllMocks();
  for (const close of closings) await close();
  await app.close();
});

/** Serves what has its middleware mounted by the test; returns its address. */
async function serve(handler: http.RequestListener): Promise<string> {
  const server = http.createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closings.push(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function sessionsOf(options: SessionOptions): Sessions {
  const sessions = new Sessions({ clearSchedule: false, ...options });
  closings.push(() => sessions.close());
  return sessions;
}

/** Middleware that puts a `session` on the request as another library would. */
function puts(property: PropertyDescriptor): RequestHandler {
  return (req, _res, next) => {
    Object.defineProperty(req, "session", property);
    next();
  };
}

function deletingRoutes(main: Express): void {
  countingRoutes(main);
  main.get("/delete", (req, res) => {
    delete (req as DeletableSession).session;
    res.send(String((req as DeletableSession).session));
  });
  main.get("/read-delete", (req, res) => {
    const { session } = req;
    session.views = 100;
    delete (req as DeletableSession).session;
    session.views = 200;
    res.redirect("/read");
  });
  main.get("/delete-late", async (req, res) => {
    res.write("on its way");
    await new Promise(setImmediate);
    delete (req as DeletableSession).session;
    res.end();
  });
}

describeOnEveryStore("delete req.session", (every) => {
  describe.each(EXPRESSES)("on %s", (_name, express) => {
    beforeEach(async () => void (app = await startApp(deletingRoutes, { express, store: await every.open() })));

    it.each(["/delete", "/read-delete"])("P1: ends the session before a byte is sent: %s", async (path) => {
      const { cookie } = await app.get("/login");
      const answer = await app.get(path, { cookie });
      expect(answer.status).toBeLessThan(400);
      expect(answer.headers["set-cookie"]).toEqual([expect.stringMatching(/^sid=; Max-Age=0/)]);
      expect(await app.sessions.getSessionInfo()).toEqual([]);
      expect((await app.get("/read", { cookie })).body).toContain('"owner":"__guest__"');
    });

    it("ends it also after the first byte, when only the cookie can't be taken back", async () => {
      const { cookie } = await app.get("/login");
      await app.get("/delete-late", { cookie });
      expect(await app.sessions.getSessionInfo()).toEqual([]);
    });

    it("costs a stranger no cookie", async () => {
      const answer = await app.get("/delete");
      expect([answer.body, answer.headers["set-cookie"]]).toEqual(["undefined", undefined]);
    });
  });
});

describe("delete req.session", () => {
  it("P7: responds 503 where the end can't be stored", async () => {
    const { store } = watchedStore((method) => (method === "end" ? Promise.reject(new Error("disk full")) : undefined));
    app = await startApp(deletingRoutes, { store });
    const { cookie } = await app.get("/count");
    const answer = await app.get("/delete", { cookie });
    expect([answer.status, answer.headers["set-cookie"]]).toEqual([503, undefined]);
  });

  it("works without Express", async () => {
    app = await startApp(countingRoutes);
    const middleware = app.sessions.middleware();
    const url = await serve((req, res) => {
      middleware(req, res, () => {
        delete (req as DeletableSession).session;
        res.end();
      });
    });
    const { cookie } = await app.get("/count");
    expect((await send("GET", url, { cookie })).cookie).toBe("sid=");
    expect(await app.sessions.getSessionInfo()).toEqual([]);
  });
});

/** What a test's stub, or another library, puts there before us. */
const STUB = { user: "of a test" };
const ACCESSOR = { configurable: true, get: () => STUB };
const STUBS: readonly [string, (main: Express) => unknown][] = [
  ["a property", (main) => main.use(puts({ value: STUB, configurable: true, writable: true }))],
  ["an accessor", (main) => main.use(puts(ACCESSOR))],
  ["of all requests of the app", (main) => Object.defineProperty(main.request, "session", ACCESSOR)],
];

describe.each(EXPRESSES)("a req.session that was there before the middleware, on %s", (_name, express) => {
  it.each(STUBS)("is left alone, with one warning: %s", async (_what, stub) => {
    app = await startApp(countingRoutes);
    const { cookie } = await app.get("/count");
    const main = express();
    stub(main);
    main.use(app.sessions.middleware());
    main.get("/", (req, res) => res.json([req.session, currentSession()?.get("views")]));
    main.get("/delete", (req, res) => {
      delete (req as DeletableSession).session;
      res.end();
    });
    const url = await serve(main);
    for (let n = 0; n < 3; n += 1) expect((await send("GET", url, { cookie })).body).toBe('[{"user":"of a test"},1]');
    expect(warnings).toEqual([expect.stringContaining("Something set req.session before")]);
    expect((await send("GET", `${url}/delete`, { cookie })).headers["set-cookie"]).toBeUndefined();
    expect(await app.sessions.getSessionInfo()).toHaveLength(1);
  });

  it.each([null, undefined])("is taken for none where it is %s", async (value) => {
    app = await startApp(countingRoutes);
    const main = express();
    main.use(puts({ value, configurable: true, writable: true }), app.sessions.middleware());
    countingRoutes(main);
    expect((await send("GET", `${await serve(main)}/count`)).body).toBe('{"views":1}');
    expect(warnings).toEqual([]);
  });
});

describe.each(EXPRESSES)("of two middlewares on one request, on %s", (_name, express) => {
  it.each(["wide", "narrow"])("the one on the longer path holds req.session, with the %s one first", async (first) => {
    app = await startApp(() => undefined);
    const [wide, narrow] = [
      sessionsOf({ store: new MemoryStore() }),
      sessionsOf({ store: new MemoryStore(), project: "admin" }),
    ];
    const main = express();
    if (first === "narrow") main.use("/admin", narrow.middleware());
    main.use(wide.middleware());
    if (first === "wide") main.use("/admin", narrow.middleware());
    main.get(["/", "/admin"], (req, res) => {
      req.session.views = (req.session.views ?? 0) + 1;
      res.json([req.session.meta.project, req.session.views, currentSession() === req.session]);
    });
    main.get("/admin/delete", (req, res) => {
      delete (req as DeletableSession).session;
      res.end();
    });
    const url = await serve(main);
    const [shop, admin] = [await send("GET", url), await send("GET", `${url}/admin`)];
    expect([shop.body, admin.body]).toEqual(['["",1,true]', '["admin",1,true]']);
    const cookie = `${shop.cookie!}; ${admin.cookie!}`;
    expect((await send("GET", `${url}/admin`, { cookie })).body).toBe('["admin",2,true]');
    expect((await send("GET", url, { cookie })).body).toBe('["",2,true]');
    expect((await send("GET", `${url}/admin/delete`, { cookie })).headers["set-cookie"]).toEqual([
      expect.stringMatching(/^sid-admin=; Max-Age=0/),
    ]);
    expect([await narrow.getSessionInfo(), await wide.getSessionInfo()]).toEqual([[], [expect.anything()]]);
  });

  it("the later one holds it where both are on the same path", async () => {
    app = await startApp(() => undefined);
    const [one, two] = [
      sessionsOf({ store: new MemoryStore() }),
      sessionsOf({ store: new MemoryStore(), project: "admin" }),
    ];
    const main = express().use("/admin", one.middleware(), two.middleware());
    main.get("/admin", (req, res) => res.json(req.session.meta.project));
    expect((await send("GET", `${await serve(main)}/admin`)).body).toBe('"admin"');
  });
});
