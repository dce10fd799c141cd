import { EventEmitter, once } from "node:events";
import { PassThrough, Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { Request } from "express";
import { currentSession } from "../../lib/session/current-session";
import { EXPRESSES, startApp } from "../support/app";
import type { RunningApp } from "../support/app";
import { countingRoutes } from "../support/counting-routes";
import { watchedStore } from "../support/watched-store";

const BODY = "x".repeat(100_000);

let app: RunningApp | undefined;
afterEach(() => app?.close());

const WAYS: Record<string, (req: Request) => Promise<unknown>> = {
  "in the handler's own turn": async () => currentSession(),
  "after an await": async () => {
    await sleep(2);
    return currentSession();
  },
  "in a timer, a tick and a microtask": () =>
    new Promise((resolve) => {
      setTimeout(() => process.nextTick(() => queueMicrotask(() => setImmediate(() => resolve(currentSession())))), 1);
    }),
  "inside a stream that the handler makes": async () => {
    let seen: unknown;
    await pipeline(
      Readable.from(["a", "b"]),
      async function* (source) {
        for await (const piece of source) {
          await sleep(1);
          seen = currentSession();
          yield piece;
        }
      },
      new PassThrough().resume(),
    );
    return seen;
  },
  "after reading the request's own stream": async (req) => {
    const read = await text(req);
    return read.length === BODY.length ? currentSession() : undefined;
  },
  "in a listener of the request's own stream": (req) =>
    new Promise((resolve) => {
      req.on("end", () => resolve(currentSession())).resume();
    }),
  "after an event that others emit": async () => {
    const emitter = new EventEmitter();
    setTimeout(() => emitter.emit("done"), 1);
    await once(emitter, "done");
    return currentSession();
  },
};

describe.each(EXPRESSES)("currentSession() on %s", (_name, express) => {
  it.each(Object.entries(WAYS))("is the request's session %s", async (_way, ask) => {
    app = await startApp(
      (main) => {
        main.post("/", (req, res, next) => {
          ask(req).then((session) => res.json({ isSame: session === req.session }), next);
        });
      },
      { express },
    );
    expect((await app.post("/", {}, BODY)).body).toBe('{"isSame":true}');
  });

  it("is the request's session after a body parser", async () => {
    app = await startApp(
      (main) => {
        main.use(express.json(), express.urlencoded({ extended: false }), express.text());
        main.post("/", (req, res) => {
          currentSession()!.merge(req.body as Record<string, unknown>);
          res.json({ isSame: currentSession() === req.session });
        });
        countingRoutes(main);
      },
      { express },
    );
    for (const type of ["application/json", "application/x-www-form-urlencoded"]) {
      const body = type.endsWith("json") ? '{"views":7}' : "views=7";
      const answer = await app.post("/", { "content-type": type }, body);
      expect(answer.body).toBe('{"isSame":true}');
      expect((await app.get("/read", { cookie: answer.cookie })).body).toMatch(/"views":"?7/);
    }
  });

  it("is each request's own where many run at once", async () => {
    app = await startApp(
      (main) => {
        countingRoutes(main);
        main.get("/slow", async (req, res) => {
          const ids = [currentSession()?.id];
          for (let n = 0; n < 5; n += 1) {
            await sleep(Math.random() * 4);
            ids.push(currentSession()?.id);
          }
          res.json({ isSame: ids.every((id) => id === req.session.id), id: req.session.id });
        });
      },
      { express },
    );
    const visitors = await Promise.all(Array.from({ length: 20 }, () => app!.get("/count")));
    const answers = await Promise.all(visitors.map(({ cookie }) => app!.get("/slow", { cookie })));
    expect(answers.every(({ body }) => body.startsWith('{"isSame":true'))).toBe(true);
    expect(new Set(answers.map(({ body }) => body)).size).toBe(20);
  });

  it("is there even where the store is slow", async () => {
    const { store } = watchedStore((method) => (method === "load" ? sleep(5) : undefined));
    app = await startApp(
      (main) => {
        countingRoutes(main);
        main.get("/same", (req, res) => res.json({ isSame: currentSession() === req.session }));
      },
      { express, store },
    );
    const { cookie } = await app.get("/count");
    expect((await app.get("/same", { cookie })).body).toBe('{"isSame":true}');
  });
});

describe("currentSession()", () => {
  it("is undefined outside of a request, and in one that doesn't pass the middleware", async () => {
    const seen: unknown[] = [];
    app = await startApp(countingRoutes);
    seen.push(currentSession(), app.sessions.currentSession());
    const { cookie } = await app.get("/count");
    await app.get("/read", { cookie });
    seen.push(currentSession());
    expect(seen).toEqual([undefined, undefined, undefined]);
  });

  it("is undefined once the app has set req.session to null", async () => {
    app = await startApp((main) => {
      main.get("/", (req, res) => {
        req.session = null;
        res.json({ is: currentSession() ?? null });
      });
    });
    expect((await app.get("/")).body).toBe('{"is":null}');
  });
});
