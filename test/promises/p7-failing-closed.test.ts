import { once } from "node:events";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import type { Express } from "express";
import { startApp } from "../support/app";
import type { Answer, RunningApp } from "../support/app";
import { describeOnEveryStore } from "../support/every-store";
import { FaultyStore } from "../support/faulty-store";
import type { Fault, Operation } from "../support/faulty-store";
import { howMany } from "../support/how-many";

/**
 * The time limit for what hangs, in milliseconds: longer than the store takes for the load before it. A fault lasts
 * until it is repaired, and what is to succeed, or to fail at once, has all the time that it needs.
 */
const TIMEOUT_MS = { MemoryStore: 150, SqliteStore: 600, RedisStore: 600, DatastoreStore: 1500, PostgresStore: 800 };

/** A request that takes the operation, and who sends it. */
const REQUESTS: readonly (readonly [Operation, string, "known" | "stranger"])[] = [
  ["load", "/read", "known"],
  ["create", "/set", "stranger"],
  ["create", "/login", "stranger"],
  ["update", "/set", "known"],
  ["mutate", "/update", "known"],
  ["replace", "/login", "known"],
  ["replace", "/logout", "known"],
  ["replace", "/regenerate", "known"],
  ["end", "/destroy", "known"],
  ["end", "/null", "known"],
  ["end", "/slow-null", "known"],
];
const FAULTS: readonly (readonly [Fault, string])[] = [
  ["throws", "SESSION_STORE"],
  ["rejects", "SESSION_STORE"],
  ["loses its answer", "SESSION_STORE"],
  ["hangs", "SESSION_STORE_TIMEOUT"],
  ["is late", "SESSION_STORE_TIMEOUT"],
  ["answers late", "SESSION_STORE_TIMEOUT"],
];
const TIMED = FAULTS.filter(([, code]) => code === "SESSION_STORE_TIMEOUT");
const CASES = REQUESTS.flatMap(([operation, path, visitor], n) =>
  FAULTS.filter(([fault, code]) => code === "SESSION_STORE" || isTriedWithTime(operation, fault, n)).map(
    ([fault, code]) => ({ operation, path, visitor, fault, code }),
  ),
);

/**
 * What takes a whole time limit is tried with one request of each operation; in the short run, with one such fault of
 * each.
 */
function isTriedWithTime(operation: Operation, fault: Fault, n: number): boolean {
  if (REQUESTS.findIndex(([first]) => first === operation) !== n) return false;
  return howMany(0, 1) === 1 || TIMED.findIndex(([timed]) => timed === fault) === n % TIMED.length;
}

function routes(reached: string[]): (app: Express) => void {
  return (app) => {
    app.use((req, res, next) => {
      reached.push(req.path);
      res.set("X-Handler", "yes");
      next();
    });
    app.get("/read", (req, res) => res.json({ tea: req.session.get("tea"), owner: req.session.owner }));
    app.get("/set", (req, res) => {
      req.session.set("tea", req.query.tea ?? "green");
      res.send("set");
    });
    app.get("/update", async (req, res) => {
      await req.session.update("n", (n: unknown) => Number(n ?? 0) + 1);
      res.send("updated");
    });
    app.get("/login", async (req, res) => {
      await req.session.login("alice");
      res.send("welcome");
    });
    app.get("/logout", async (req, res) => {
      await req.session.logout();
      res.send("bye");
    });
    app.get("/regenerate", async (req, res) => {
      await req.session.regenerate();
      req.session.set("tea", "new");
      res.send("new");
    });
    app.get("/destroy", async (req, res) => {
      await req.session.destroy();
      res.send("gone");
    });
    app.get("/null", (req, res) => {
      (req as { session: unknown }).session = null;
      res.send("gone");
    });
    app.get("/slow-null", async (req, res) => {
      (req as { session: unknown }).session = null;
      await sleep(20);
      res.send("gone");
    });
    app.get("/awaited", async (req, res) => {
      req.session.set("tea", "awaited");
      await req.session.save();
      res.send("saved");
    });
    app.get("/caught", async (req, res) => {
      req.session.set("tea", "caught");
      await req.session.save().catch(() => undefined);
      res.send("all is well");
    });
    app.get("/twice", async (req, res) => {
      req.session.set("tea", "twice");
      await req.session.save().catch(() => undefined);
      await req.session.save();
      res.send("all is well");
    });
    app.get("/callback", (req, res) => {
      req.session.set("tea", "callback");
      void req.session.save((error) => res.status(500).json({ code: (error as { code: string }).code }));
    });
    app.get("/stream", (req, res) => {
      req.session.set("tea", "streamed");
      res.type("text").write("first");
      setTimeout(() => res.end("last"), 10);
    });
    app.get("/late", (req, res) => {
      res.write("first");
      req.session.set("tea", "late");
      res.end("last");
    });
  };
}

describeOnEveryStore("failing closed", (every) => {
  let store: FaultyStore;
  let app: RunningApp;
  /** On the same store. */
  let hasty: RunningApp;
  let reached: string[];
  let headers: { cookie: string };

  beforeAll(async () => {
    store = new FaultyStore(await every.open());
    app = await startApp(routes((reached = [])), { store });
    hasty = await startApp(routes(reached), { store, storeTimeout: TIMEOUT_MS[every.name] });
  });

  beforeEach(async () => {
    headers = { cookie: (await app.get("/set?tea=black")).cookie ?? "" };
    expect(headers.cookie).not.toBe("");
    reached.length = app.errors.length = 0;
    store.resetCalls();
  });

  afterEach(recover);
  afterAll(async () => {
    await app.close();
    await hasty.close();
  });

  const appFor = (code: string) => (code === "SESSION_STORE_TIMEOUT" ? hasty : app);

  async function recover(): Promise<void> {
    store.recover();
    await store.idle();
    await nextTurn(); // An unhandled rejection would be reported by now.
  }

  function expectFailure(answer: Answer, code: string): void {
    expect(answer).toMatchObject({ status: 503, cookie: undefined });
    expect(JSON.parse(answer.body)).toMatchObject({ code });
    expect(answer.headers["set-cookie"]).toBeUndefined();
  }

  it.each(CASES)(
    "P7: $operation $fault: GET $path of a $visitor gets $code and no cookie, and all works again afterwards",
    async ({ operation, path, visitor, fault, code }) => {
      store.fail(operation, fault);
      // The fault lasts until `recover`: an answer that comes before it did not wait for the store.
      const answer = await appFor(code).get(path, visitor === "known" ? headers : {});
      expectFailure(answer, code);
      expect(store.calls[operation]).toBe(1);
      expect(reached).toEqual(operation === "load" ? [] : [path]);
      await recover();
      expect((await app.get("/read", headers)).status).toBe(200);
      const again = await app.get("/set?tea=oolong");
      expect(again.status).toBe(200);
      const { body } = await app.get("/read", { cookie: again.cookie ?? "" });
      expect(JSON.parse(body)).toEqual({ tea: "oolong", owner: "__guest__" });
    },
  );

  it("P7: a known visitor is never served as a stranger while loads fail", async () => {
    for (const [fault, code] of FAULTS.filter(([each]) => ["throws", "rejects", "hangs"].includes(each))) {
      store.fail("load", fault);
      expect((await appFor(code).get("/read", headers)).status).toBe(503);
      await recover();
    }
    expect(reached).toEqual([]);
    expect(JSON.parse((await app.get("/read", headers)).body)).toEqual({ tea: "black", owner: "__guest__" });
  });

  it("P7: an operation that was not done has changed nothing", async () => {
    for (const [operation, path] of [
      ["update", "/set?tea=lost"],
      ["replace", "/login"],
      ["end", "/destroy"],
    ] as const) {
      store.fail(operation, "rejects");
      expect((await app.get(path, headers)).status).toBe(503);
      await recover();
    }
    expect(JSON.parse((await app.get("/read", headers)).body)).toEqual({ tea: "black", owner: "__guest__" });
  });

  it("P7: what the handler has set on its response is not on the error page", async () => {
    store.fail("update", "rejects");
    const answer = await app.get("/set", headers);
    expectFailure(answer, "SESSION_STORE");
    expect(answer.headers["x-handler"]).toBeUndefined();
    expect(answer.headers["content-type"]).toContain("application/json");
  });

  it("P7: no success is sent for a save that failed, also where the app has caught the error", async () => {
    store.fail("update", "rejects");
    expectFailure(await app.get("/caught", headers), "SESSION_STORE");
    expect(store.calls.update).toBe(1);
  });

  it("P7: a callback is given the error, and the response that it sends is no success either", async () => {
    store.fail("update", "rejects");
    const answer = await app.get("/callback", headers);
    expect(answer.status).toBeGreaterThanOrEqual(500);
    expect(JSON.parse(answer.body)).toMatchObject({ code: "SESSION_STORE" });
  });

  it.each(["/set", "/awaited", "/login"])(
    "P7: the app's own error page tells of a save that failed in %s",
    async (path) => {
      for (const operation of ["create", "update", "replace"] as const) store.fail(operation, "rejects");
      for (const sent of [{}, headers]) expectFailure(await app.get(path, sent), "SESSION_STORE");
    },
  );

  it("P2: a create whose answer was lost is not tried again", async () => {
    for (const [fault, code] of FAULTS.filter(([each]) => each !== "hangs" && each !== "is late")) {
      store.resetCalls();
      store.fail("create", fault);
      expect((await appFor(code).get("/twice")).status).toBe(503);
      expect(store.calls.create).toBe(1);
      await recover();
    }
  });

  it("P7: a handler that is still writing gets a bare 503 in its place, and an error event tells of it", async () => {
    store.fail("update", "rejects");
    const failed = once(app.sessions, "error");
    const answer = await app.get("/stream", headers);
    expect(answer).toMatchObject({ status: 503, cookie: undefined });
    expect(answer.body).not.toContain("first");
    await expect(failed).resolves.toMatchObject([{ code: "SESSION_STORE" }]);
  });

  it("P7: an answer that has begun is broken off, not completed", async () => {
    store.fail("update", "rejects");
    const failed = once(app.sessions, "error");
    await expect(app.get("/late", headers)).rejects.toThrow();
    await expect(failed).resolves.toMatchObject([{ code: "SESSION_STORE" }]);
  });

  it.each(FAULTS.filter(([fault]) => fault === "rejects" || fault === "hangs"))(
    "P7: kills whose query %s reject with %s",
    async (fault, code) => {
      store.fail("find", fault);
      const { sessions } = appFor(code);
      await expect(sessions.killSessionByUser("alice")).rejects.toMatchObject({ code });
      await expect(sessions.getSessionInfo()).rejects.toMatchObject({ code });
    },
  );

  it.each(FAULTS)("P7: a kill whose end %s rejects with %s", async (fault, code) => {
    await app.get("/login", headers);
    store.fail("end", fault);
    await expect(appFor(code).sessions.killSessionByUser("alice")).rejects.toMatchObject({ code });
    await recover();
    await app.sessions.killSessionByUser("alice");
    await expect(app.sessions.getSessionInfo({ username: "alice" })).resolves.toEqual([]);
  });

  it("P7: where nobody can tell whether the session was replaced, a write gets 503 and starts none", async () => {
    await app.get("/login", headers);
    store.fail("find", "hangs");
    store.resetCalls();
    expectFailure(await hasty.get("/set", headers), "SESSION_STORE_TIMEOUT");
    expect(store.calls.create).toBe(0);
  });
});
