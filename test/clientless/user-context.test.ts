import { EventEmitter, once } from "node:events";
import { PassThrough, Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import core from "express";
import type { Request } from "express";
import { currentSession, getUserContext, GUEST_USER, Sessions, setUserContext, withUserContext } from "../../lib";
import { MemoryStore } from "../../lib/stores/memory-store";
import { EXPRESSES, startApp } from "../support/app";
import type { RunningApp } from "../support/app";
import { describeOnEveryStore } from "../support/every-store";
import { howMany } from "../support/how-many";

const BODY = "x".repeat(200_000);

describe("the user context", () => {
  it("is undefined outside any context, where it can't be set either", () => {
    expect(getUserContext()).toBeUndefined();
    expect(() => setUserContext("alice")).toThrow(expect.objectContaining({ code: "SESSION_CONTEXT" }));
    expect(getUserContext()).toBeUndefined();
  });

  it("is that of the innermost withUserContext, which returns what its function returns", async () => {
    const seen = withUserContext("alice", () => {
      const inner = withUserContext("bob", async () => {
        await sleep(1);
        return getUserContext();
      });
      return [getUserContext(), inner] as const;
    });
    expect([seen[0], await seen[1], getUserContext()]).toEqual(["alice", "bob", undefined]);
    expect(withUserContext(GUEST_USER, getUserContext)).toBe(GUEST_USER);
    expect(withUserContext("alice", currentSession)).toBeUndefined();
    expect(() => withUserContext("alice", () => JSON.parse("{"))).toThrow(SyntaxError);
  });

  it("can be set for the rest of a withUserContext, and not beyond it", () => {
    withUserContext("alice", () => {
      withUserContext("bob", () => {
        setUserContext("carol");
        expect(getUserContext()).toBe("carol");
      });
      expect(getUserContext()).toBe("alice");
    });
  });

  it.each([
    ["an empty user", "", /"" is none/],
    ["no user", undefined, /not undefined/],
    ["an object", {}, /not an object/],
  ])("refuses %s", (_what, user, message) => {
    const wrong = expect.objectContaining({ code: "SESSION_ARGUMENT", message: expect.stringMatching(message) });
    expect(() => withUserContext(user as string, () => 1)).toThrow(wrong);
    withUserContext("alice", () => expect(() => setUserContext(user as string)).toThrow(wrong));
    expect(() => withUserContext("alice", "no function" as never)).toThrow(/takes a function to run, not string/);
  });

  it("is the session's user in a task, whoever started it; what a task sets is its own", async () => {
    const sessions = new Sessions({ store: new MemoryStore(), clearSchedule: false });
    sessions.defineTask<string>("context", async ({ params }) => {
      const before = sessions.getUserContext();
      await sleep(1);
      sessions.setUserContext(params);
      return [before, getUserContext(), sessions.withUserContext("dora", getUserContext), currentSession()?.owner];
    });
    await withUserContext("starter", () =>
      sessions.withClientlessSession("alice", async (session) => {
        expect([getUserContext(), currentSession()]).toEqual(["alice", session]);
        const handles = ["bob", "carol"].map((user) => session.start("context", user));
        const seen = await Promise.all(handles.map((handle) => handle.result()));
        expect(seen).toEqual(["bob", "carol"].map((user) => ["alice", user, "dora", "alice"]));
        expect(getUserContext()).toBe("alice");
      }),
    );
    await sessions.close();
  });
});

/** How code comes to run later, in a request whose body is still to be read. */
const WAYS: Record<string, (req: Request) => Promise<unknown>> = {
  "in its own turn": async () => getUserContext(),
  "after an await": async () => {
    await sleep(1);
    return getUserContext();
  },
  "in a timer, a tick and a microtask": () =>
    new Promise((resolve) => {
      setTimeout(() => process.nextTick(() => queueMicrotask(() => setImmediate(() => resolve(getUserContext())))), 1);
    }),
  "in a listener of the request's stream": (req) =>
    new Promise((resolve) => {
      req.on("end", () => resolve(getUserContext())).resume();
    }),
  "in a listener that is called once": async (req) => {
    let calls = 0;
    req.once("data", () => (calls += 1));
    const first = await new Promise((resolve) => req.prependOnceListener("data", () => resolve(getUserContext())));
    await once(req.resume(), "end");
    return calls === 1 && req.listenerCount("data") === 0 ? first : "called more than once";
  },
  "after a listener was taken off": async (req) => {
    const taken = jest.fn();
    const [on, onOnce] = [() => taken(), () => taken()];
    req.on("data", on).once("data", onOnce);
    expect(req.listeners("data")).toEqual([on, onOnce]);
    req.off("data", on).off("data", onOnce).resume();
    await once(req, "end");
    return taken.mock.calls.length === 0 ? getUserContext() : "was called";
  },
  "in what the request is piped into": async (req) => {
    const seen = new Set<unknown>();
    const parts = new PassThrough().on("data", () => seen.add(getUserContext()));
    await pipeline(req, parts);
    return seen.size === 1 ? [...seen][0] : [...seen];
  },
  "while iterating over a stream": async () => {
    for await (const piece of Readable.from(["a", "b"])) await sleep(1, piece);
    return getUserContext();
  },
  "after an event that others emit": async () => {
    const emitter = new EventEmitter();
    setTimeout(() => emitter.emit("done"), 1);
    await once(emitter, "done");
    return getUserContext();
  },
  "in the events of an upload's parser": (req) =>
    new Promise((resolve) => {
      const parser = new Writable({
        write(chunk, _encoding, done) {
          this.emit("file", chunk);
          setImmediate(done);
        },
      });
      const seen = new Set<unknown>();
      parser.on("file", () => seen.add(getUserContext()));
      parser.on("finish", () => resolve(seen.size === 1 ? [...seen][0] : [...seen]));
      req.pipe(parser);
    }),
};

describe.each(EXPRESSES)("the user context on %s", (_name, express) => {
  let app: RunningApp;
  let ask: (req: Request) => Promise<unknown>;

  beforeEach(async () => {
    app = await startApp(
      (main) => {
        main.get("/login/:user", async (req, res) => {
          await req.session.login(req.params.user);
          res.end();
        });
        main.post("/plain", async (req, res) => res.json(await ask(req)));
        main.post("/set", async (req, res) => {
          setUserContext("bob");
          res.json(await ask(req));
        });
        main.post("/with", async (req, res) => res.json(await withUserContext("bob", () => ask(req))));
        main.post(
          "/middleware",
          (_req, _res, next) => withUserContext("bob", next),
          async (req, res) => res.json([await ask(req), currentSession()?.owner]),
        );
        main.use("/parsed", (_req, _res, next) => withUserContext("bob", next));
        main.post("/parsed", express.raw({ type: "text/plain", limit: "1mb" }), (req, res) => {
          res.json([getUserContext(), currentSession()?.owner, req.body.length === BODY.length]);
        });
        main.post("/twice", async (req, res) => {
          const [inner, outer] = await Promise.all([
            withUserContext("bob", () => WAYS["in a listener of the request's stream"]!(req)),
            WAYS["in a listener of the request's stream"]!(req),
          ]);
          res.json([inner, outer]);
        });
      },
      { express },
    );
  });
  afterEach(() => app.close());

  const post = async (path: string, cookie = "") =>
    JSON.parse((await app.post(path, { "content-type": "text/plain", cookie }, BODY)).body);

  it.each(Object.entries(WAYS))("is right %s", async (_way, way) => {
    ask = way;
    const { cookie } = await app.get("/login/alice");
    expect(await post("/plain")).toBe(GUEST_USER);
    expect(await post("/plain", cookie)).toBe("alice");
    expect(await post("/set", cookie)).toBe("bob");
    expect(await post("/with", cookie)).toBe("bob");
    expect(await post("/middleware", cookie)).toEqual(["bob", "alice"]);
  });

  it("is right in what comes after a body parser", async () => {
    const { cookie } = await app.get("/login/alice");
    expect(await post("/parsed", cookie)).toEqual(["bob", "alice", true]);
  });

  it("is each listener's own where one request has several", async () => {
    const { cookie } = await app.get("/login/alice");
    expect(await post("/twice", cookie)).toEqual(["bob", "alice"]);
  });
});

describeOnEveryStore("the user context of 1,000 interleaved requests", (every) => {
  it("is each one's own", async () => {
    const app = await startApp(
      (main) => {
        main.get("/login/:user", async (req, res) => {
          await req.session.login(req.params.user);
          res.end();
        });
        main.post("/:user/:guise", core.json(), async (req, res) => {
          const { user, guise } = req.params;
          const seen = [[getUserContext(), user]];
          await sleep(Math.random() * 5);
          setUserContext(`${guise}-set`);
          await sleep(Math.random() * 5);
          seen.push([getUserContext(), `${guise}-set`]);
          await withUserContext(guise, async () => {
            await sleep(Math.random() * 5);
            seen.push([getUserContext(), guise]);
          });
          seen.push([getUserContext(), `${guise}-set`], [currentSession()?.owner, user], [req.body.guise, guise]);
          res.json(seen.filter(([is, should]) => is !== should));
        });
      },
      { store: await every.open() },
    );
    const users = Array.from({ length: 20 }, (_, index) => `user${index}`);
    const cookies = await Promise.all(users.map(async (user) => (await app.get(`/login/${user}`)).cookie));
    const wrong: string[] = [];
    for (let round = 0; round < howMany(3, 10); round += 1) {
      const answers = Array.from({ length: 100 }, (_, index) => {
        const [user, guise] = [index % users.length, `guise${round * 100 + index}`];
        const headers = { cookie: cookies[user], "content-type": "application/json" };
        return app.post(`/${users[user]}/${guise}`, headers, JSON.stringify({ guise }));
      });
      wrong.push(...(await Promise.all(answers)).map(({ body }) => body).filter((body) => body !== "[]"));
    }
    expect(wrong).toEqual([]);
    await app.close();
  });
});
