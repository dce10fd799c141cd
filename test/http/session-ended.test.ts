import type { Express } from "express";
import { MemoryStore } from "../../lib/stores/memory-store";
import { EXPRESSES, send, startApp } from "../support/app";
import type { RunningApp } from "../support/app";
import { countingRoutes } from "../support/counting-routes";
import { closedGate } from "../support/gate";

const MINUTE = 60_000;

let app: RunningApp;
afterEach(() => app.close());

let release: () => void;
/** Resolves when a request waits. */
let waits: Promise<void>;
/** Routes that wait in the middle, until `release()`: the tests do something to their session meanwhile. */
function waitingRoutes(main: Express): void {
  const gate = closedGate();
  waits = gate.reached;
  release = gate.open;
  main.get("/waiting-reader", async (req, res) => {
    const before = req.session.views ?? 0;
    await gate.pass();
    res.json({ before, after: req.session.views ?? 0 });
  });
  main.get("/waiting-writer", async (req, res, next) => {
    try {
      req.session.views = (req.session.views ?? 0) + 100;
      await gate.pass();
      if (req.query.save === "yes") await req.session.save();
      res.json({ views: req.session.views });
    } catch (error) {
      next(error);
    }
  });
  main.get("/waiting-stream", async (req, res) => {
    res.write(`${req.session.views ?? 0} `);
    await gate.pass();
    req.session.views = 100;
    res.end("end");
  });
}

async function start(options: Parameters<typeof startApp>[1] = {}): Promise<void> {
  app = await startApp((main) => {
    countingRoutes(main);
    waitingRoutes(main);
  }, options);
}

/** Does something while a request waits, and lets it go on. */
async function during<T>(request: Promise<T>, act: () => Promise<unknown>): Promise<T> {
  await waits;
  await act();
  release();
  return request;
}

describe.each(EXPRESSES)("a request whose session is killed under it, on %s", (_name, express) => {
  it("P2: gets its response where it only read", async () => {
    await start({ express });
    const { cookie } = await app.get("/login");
    const answer = await during(app.get("/waiting-reader", { cookie }), () => app.sessions.killSessionByUser("alice"));
    expect(answer.status).toBe(200);
    expect(answer.headers["set-cookie"]).toBeUndefined();
    expect(await app.sessions.getSessionInfo()).toEqual([]);
  });

  it.each(["", "?save=yes"])("P2: gets SESSION_ENDED and no cookie for what it wrote%s", async (query) => {
    await start({ express });
    const { cookie } = await app.get("/login");
    const answer = await during(app.get(`/waiting-writer${query}`, { cookie }), () => app.sessions.killAllSessions());
    expect(answer.status).toBe(409);
    expect(JSON.parse(answer.body).code).toBe("SESSION_ENDED");
    expect(answer.headers["set-cookie"]).toBeUndefined();
    expect(await app.sessions.getSessionInfo()).toEqual([]);
    expect((await app.get("/read", { cookie })).body).toBe('{"views":0,"owner":"__guest__"}');
  });

  it("P2: is broken off where its stream can't end with what it wrote", async () => {
    await start({ express });
    const { cookie } = await app.get("/login");
    const answer = during(app.get("/waiting-stream", { cookie }), () => app.sessions.killAllSessions());
    await expect(answer).rejects.toThrow(/aborted|hang up/);
    expect(app.errors).toEqual([expect.objectContaining({ code: "SESSION_ENDED" })]);
    expect(await app.sessions.getSessionInfo()).toEqual([]);
  });
});

describe("after a session was killed", () => {
  it("its cookie starts a new one, as a guest's", async () => {
    await start();
    const { cookie } = await app.get("/login");
    await app.sessions.killSessionByUser("alice");
    const answer = await app.get("/count", { cookie });
    expect([answer.status, answer.body]).toEqual([200, '{"views":1}']);
    expect(answer.cookie).toMatch(/^sid=/);
    expect(answer.cookie).not.toBe(cookie);
  });
});

describe.each([
  ["a login", "/login"],
  ["a logout", "/logout"],
  ["a reset", "/reset"],
])("a request that carries the token from before %s", (_what, path) => {
  const day = Date.UTC(2030, 0, 1);

  async function replaced(options: Parameters<typeof startApp>[1] = {}) {
    let now = day;
    const clock = () => now;
    await start({ now: clock, store: new MemoryStore({ now: clock }), ...options });
    const { cookie } = await app.get("/count");
    const after = await app.get(path, { cookie });
    expect(after.cookie).not.toBe(cookie);
    return { cookie: cookie!, after: after.cookie!, pass: (millis: number) => (now += millis) };
  }

  it("reads as a guest's, without a cookie", async () => {
    const { cookie } = await replaced();
    const answer = await app.get("/read", { cookie });
    expect([answer.status, answer.body]).toEqual([200, '{"views":0,"owner":"__guest__"}']);
    expect(answer.headers["set-cookie"]).toBeUndefined();
  });

  it.each([undefined, 0])(
    "P2: may not write for a minute, so that its cookie can't take the user's place (keepEnded %s)",
    async (keepEnded) => {
      const { cookie, after, pass } = await replaced(keepEnded === undefined ? {} : { keepEnded });
      const live = (await app.sessions.getSessionInfo()).map(({ id }) => id);
      for (const millis of [0, MINUTE - 1]) {
        pass(millis);
        const answer = await app.post("/count", { cookie });
        expect([answer.status, JSON.parse(answer.body).code]).toEqual([409, "SESSION_ENDED"]);
        expect(answer.headers["set-cookie"]).toBeUndefined();
      }
      expect((await app.sessions.getSessionInfo()).map(({ id }) => id)).toEqual(live);
      expect((await app.get("/count", { cookie: after })).status).toBe(200);
    },
  );

  it.each(["GET", "HEAD"])(
    "P2: gets its page where it is a %s: unsaved, without a cookie, and told",
    async (method) => {
      const { cookie } = await replaced();
      const live = (await app.sessions.getSessionInfo()).map(({ id }) => id);
      const answer = await send(method, `${app.url}/count`, { cookie });
      expect([answer.status, answer.headers["set-cookie"]]).toEqual([200, undefined]);
      expect(app.errors).toEqual([expect.objectContaining({ code: "SESSION_ENDED" })]);
      expect((await app.sessions.getSessionInfo()).map(({ id }) => id)).toEqual(live);
    },
  );

  it("may start a session of its own after that minute", async () => {
    const { cookie, pass } = await replaced();
    pass(MINUTE + 1);
    const answer = await app.get("/count", { cookie });
    expect([answer.status, answer.body]).toEqual([200, '{"views":1}']);
    expect(answer.cookie).toMatch(/^sid=/);
  });

  it("may sign in", async () => {
    const { cookie } = await replaced();
    const answer = await app.get("/login", { cookie });
    expect(answer.status).toBe(200);
    expect((await app.get("/read", { cookie: answer.cookie })).body).toContain('"owner":"alice"');
  });
});

describe("a poll that is under way during a login", () => {
  it.each(["/waiting-writer", "/waiting-writer?save=yes"])("P2: can't undo it: %s", async (path) => {
    await start();
    const { cookie } = await app.get("/count");
    let signedIn: string | undefined;
    const poll = await during(app.get(path, { cookie }), async () => {
      signedIn = (await app.get("/login", { cookie })).cookie;
    });
    expect([poll.status, JSON.parse(poll.body).code]).toEqual([409, "SESSION_ENDED"]);
    expect(poll.headers["set-cookie"]).toBeUndefined();
    expect((await app.get("/read", { cookie: signedIn })).body).toContain('"owner":"alice"');
  });
});
