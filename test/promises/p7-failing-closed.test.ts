import { once } from "node:events";
import { setImmediate as nextTurn } from "node:timers/promises";
import { startApp } from "../support/app";
import type { RunningApp } from "../support/app";
import { describeOnEveryStore } from "../support/every-store";
import { expectFailure, expectHealed, FAILING_REQUESTS } from "../support/failing-requests";
import { FaultyStore } from "../support/faulty-store";
import type { Fault } from "../support/faulty-store";
import { savingRoutes } from "../support/saving-routes";

/** Faults of which a request hears at once; those that hang are in p7-time-limits.test.ts. */
const FAULTS: readonly Fault[] = ["throws", "rejects", "loses its answer"];
const CASES = FAILING_REQUESTS.flatMap(([operation, path, visitor]) =>
  FAULTS.map((fault) => ({ operation, path, visitor, fault })),
);

describeOnEveryStore("failing closed", (every) => {
  let store: FaultyStore;
  let app: RunningApp;
  let reached: string[];
  let headers: { cookie: string };

  beforeAll(async () => {
    store = new FaultyStore(await every.open());
    app = await startApp(savingRoutes((reached = [])), { store });
  });

  beforeEach(async () => {
    headers = { cookie: (await app.get("/set?tea=black")).cookie ?? "" };
    expect(headers.cookie).not.toBe("");
    reached.length = app.errors.length = 0;
    store.resetCalls();
  });

  afterEach(recover);
  afterAll(() => app.close());

  async function recover(): Promise<void> {
    store.recover();
    await store.idle();
    await nextTurn(); // An unhandled rejection would be reported by now.
  }

  it.each(CASES)(
    "P7: $operation $fault: GET $path of a $visitor gets an error and no cookie, and all works again afterwards",
    async ({ operation, path, visitor, fault }) => {
      store.fail(operation, fault);
      expectFailure(await app.get(path, visitor === "known" ? headers : {}), "SESSION_STORE");
      expect(store.calls[operation]).toBe(1);
      expect(reached).toEqual(operation === "load" ? [] : [path]);
      await recover();
      await expectHealed(app, headers);
    },
  );

  it("P7: a known visitor is never served as a stranger while loads fail", async () => {
    for (const fault of ["throws", "rejects"] as const) {
      store.fail("load", fault);
      expect((await app.get("/read", headers)).status).toBe(503);
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
    for (const fault of FAULTS) {
      store.resetCalls();
      store.fail("create", fault);
      expect((await app.get("/twice")).status).toBe(503);
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

  it("P7: kills and listings whose query fails reject", async () => {
    store.fail("find", "rejects");
    const told = { code: "SESSION_STORE" };
    await expect(app.sessions.killSessionByUser("alice")).rejects.toMatchObject(told);
    await expect(app.sessions.getSessionInfo()).rejects.toMatchObject(told);
  });

  it.each(FAULTS)("P7: a kill whose end %s rejects", async (fault) => {
    await app.get("/login", headers);
    store.fail("end", fault);
    await expect(app.sessions.killSessionByUser("alice")).rejects.toMatchObject({ code: "SESSION_STORE" });
    await recover();
    await app.sessions.killSessionByUser("alice");
    await expect(app.sessions.getSessionInfo({ username: "alice" })).resolves.toEqual([]);
  });
});
