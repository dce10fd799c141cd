import { setTimeout as sleep } from "node:timers/promises";
import type { ErrorRequestHandler } from "express";
import { Sessions } from "../../lib/sessions";
import { MemoryStore } from "../../lib/stores/memory-store";
import { EXPRESSES, startApp } from "../support/app";
import type { RunningApp } from "../support/app";
import { countingRoutes } from "../support/counting-routes";
import { watchedStore } from "../support/watched-store";

let app: RunningApp;
afterEach(() => app.close());

describe.each(EXPRESSES)("the middleware on %s", (_name, express) => {
  it("keeps a session from request to request", async () => {
    app = await startApp(countingRoutes, { express });
    const { cookie } = await app.get("/count");
    expect((await app.get("/count", { cookie })).body).toBe('{"views":2}');
    expect((await app.get("/read", { cookie })).body).toBe('{"views":2,"owner":"__guest__"}');
  });

  it("keeps of a scope what any store can keep, also where cutting it has split a character", async () => {
    app = await startApp(countingRoutes, { express, scope: () => `${"x".repeat(63)}🍵` });
    await app.get("/count");
    expect(await app.sessions.getSessionInfo()).toMatchObject([{ sessionScope: `${"x".repeat(63)}\ufffd` }]);
  });

  it("lets an error page look for a session whose load has failed", async () => {
    const { store } = watchedStore((method) => (method === "load" ? Promise.reject(new Error("down")) : undefined));
    app = await startApp(
      (main) => {
        countingRoutes(main);
        main.use(((_error, req, res, _next) => {
          const { session, sessionID } = req as Partial<typeof req>;
          res.json({ user: session?.owner ?? "unknown", id: sessionID ?? null });
        }) as ErrorRequestHandler);
      },
      { express, store },
    );
    const { cookie } = await app.get("/count");
    expect((await app.get("/read", { cookie })).body).toBe('{"user":"unknown","id":null}');
  });

  it("works on a router and in a mounted app", async () => {
    app = await startApp(
      (main) => {
        const [router, mounted] = [express.Router(), express()];
        countingRoutes(router as unknown as typeof mounted);
        countingRoutes(mounted);
        main.use("/router", router).use("/mounted", mounted);
      },
      { express },
    );
    const { cookie } = await app.get("/router/count");
    expect((await app.get("/mounted/count", { cookie })).body).toBe('{"views":2}');
  });

  it("loads once and saves once where it is mounted several times", async () => {
    const { store, calls } = watchedStore();
    app = await startApp(
      (main, sessions) => {
        const again = sessions.middleware();
        const mounted = express().use(again);
        countingRoutes(mounted);
        main.use(again, again).use("/sub", again, mounted);
      },
      { express, store },
    );
    const { cookie } = await app.get("/sub/count");
    calls.length = 0;
    expect((await app.get("/sub/count", { cookie })).body).toBe('{"views":2}');
    expect(calls).toEqual(["load", "update"]);
  });

  it("keeps two different Sessions apart, and saves both", async () => {
    const first = watchedStore();
    const admin = new Sessions({ store: new MemoryStore(), project: "admin", clearSchedule: false });
    app = await startApp(
      (main, sessions) => {
        main.use("/admin", (req, _res, next) => {
          req.session.views = (req.session.views ?? 0) + 100;
          next();
        });
        main.use("/admin", admin.middleware(), sessions.middleware());
        countingRoutes(main);
        main.get("/admin", (req, res) => {
          req.session.views = (req.session.views ?? 0) + 1;
          res.send(String(req.session.views));
        });
      },
      { express, store: first.store },
    );
    const answer = await app.get("/admin");
    const cookies = (answer.headers["set-cookie"] ?? []).map((cookie) => cookie.split(";")[0]!);
    expect(cookies).toEqual([expect.stringMatching(/^sid=/), expect.stringMatching(/^sid-admin=/)]);
    const cookie = cookies.join("; ");
    first.calls.length = 0;
    expect((await app.get("/admin", { cookie })).body).toBe("2");
    expect(first.calls).toEqual(["load", "update"]);
    expect((await app.get("/read", { cookie })).body).toContain('"views":200');
    await admin.close();
  });
});

describe("req.session", () => {
  it("ends the session where it is set to null, takes the cookie back, and reads as null from then on", async () => {
    app = await startApp((main) => {
      countingRoutes(main);
      main.get("/end", (req, res) => {
        req.session = null;
        res.json([req.session, req.sessionID as string | undefined]);
      });
    });
    const { cookie } = await app.get("/count");
    const answer = await app.get("/end", { cookie });
    expect(answer.body).toBe("[null,null]");
    expect(answer.cookie).toBe("sid=");
    expect((await app.get("/read", { cookie })).body).toContain('"views":0');
    expect((await app.get("/end")).headers["set-cookie"]).toBeUndefined();
  });

  it.each([
    ["end", () => Promise.reject(new Error("disk full"))],
    ["end", () => sleep(200)],
  ] as const)(
    "P7: gets a 503 where setting it to null can't be stored, however late the response is sent",
    async (method, fail) => {
      const { store } = watchedStore((called) => (called === method ? fail() : undefined));
      app = await startApp(
        (main) => {
          countingRoutes(main);
          main.get("/end", (req, res) => {
            req.session = null;
            setTimeout(() => res.send("bye"), Number(req.query.after));
          });
        },
        { store, storeTimeout: "30ms" },
      );
      const { cookie } = await app.get("/count");
      for (const after of [0, 60]) {
        const answer = await app.get(`/end?after=${after}`, { cookie });
        expect(answer.status).toBe(503);
        expect(answer.headers["set-cookie"]).toBeUndefined();
      }
    },
  );

  it.each([{}, "text", 0, []])("can't be replaced by %j", async (value) => {
    app = await startApp((main) => {
      countingRoutes(main);
      main.get("/replace", (req, res) => {
        try {
          req.session = value as any;
          res.send("replaced");
        } catch (error) {
          res.send(String(error));
        }
      });
    });
    const { cookie } = await app.get("/count");
    expect((await app.get("/replace", { cookie })).body).toMatch(/^TypeError: .*merge.*null/);
    expect((await app.get("/read", { cookie })).body).toContain('"views":1');
  });

  it("P6: has an id that is the hash of the token, also as req.sessionID", async () => {
    app = await startApp((main) => {
      countingRoutes(main);
      main.get("/id", (req, res) => res.json([req.session.id, req.sessionID]));
    });
    const { cookie } = await app.get("/count");
    const [id, sessionID] = JSON.parse((await app.get("/id", { cookie })).body);
    expect(id).toMatch(/^[\w-]{43}$/);
    expect(sessionID).toBe(id);
    expect(cookie).not.toContain(id);
    expect((await app.sessions.getSession(id)).id).toBe(id);
  });

  it("has an id before it is stored, and keeps it; reading it stores nothing", async () => {
    app = await startApp((main) => {
      main.get("/new", (req, res) => {
        const id = req.sessionID;
        req.session.views = 1;
        res.json([id, req.session.id]);
      });
      main.get("/id", (req, res) => res.json(req.sessionID));
    });
    const [before, after] = JSON.parse((await app.get("/new")).body);
    expect(after).toBe(before);
    expect((await app.sessions.getSessionInfo()).map(({ id }) => id)).toEqual([before]);
    expect((await app.get("/id")).headers["set-cookie"]).toBeUndefined();
    expect(await app.sessions.getSessionInfo()).toHaveLength(1);
  });
});

describe("an error in the app", () => {
  it.each(EXPRESSES)(
    "leaves the session to the error page, and saves what both changed, on %s",
    async (_name, express) => {
      app = await startApp(
        (main) => {
          countingRoutes(main);
          main.get("/throws", (req) => {
            req.session.views = 10;
            throw new Error("oops");
          });
          main.get("/5xx", (req, res) => {
            req.session.views = 20;
            res.sendStatus(502);
          });
          main.use((error: Error, req: any, res: any, _next: unknown) => {
            req.session.lastError = error.message;
            res.status(500).send(`sorry after ${req.session.views} views`);
          });
        },
        { express },
      );
      const { cookie } = await app.get("/count");
      const thrown = await app.get("/throws", { cookie });
      expect([thrown.status, thrown.body]).toEqual([500, "sorry after 10 views"]);
      expect((await app.get("/read", { cookie })).body).toContain('"views":10');
      expect((await app.get("/5xx", { cookie })).status).toBe(502);
      expect((await app.get("/read", { cookie })).body).toContain('"views":20');
      expect((await app.get("/throws")).cookie).toMatch(/^sid=/);
    },
  );
});
