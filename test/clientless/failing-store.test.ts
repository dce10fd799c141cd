import { AsyncLocalStorage } from "node:async_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { Sessions } from "../../lib";
import { SessionError } from "../../lib/errors";
import { MemoryStore } from "../../lib/stores/memory-store";
import { FaultyStore, OutageError } from "../support/faulty-store";
import { closedGate } from "../support/gate";

describe("clientless sessions on a store that fails", () => {
  let store: FaultyStore;
  let sessions: Sessions;
  let errors: unknown[];

  beforeEach(() => {
    errors = [];
    store = new FaultyStore(new MemoryStore());
    sessions = new Sessions({ store, clearSchedule: false, storeTimeout: "50ms", killCheckInterval: "5ms" });
    sessions.on("error", (error) => errors.push(error));
  });
  afterEach(async () => {
    store.recover();
    await sessions.close();
  });

  const live = async () => (await sessions.getSessionInfo()).length;
  const inStore = { code: "SESSION_STORE", status: 503 };

  it.each(["rejects", "loses its answer"] as const)("P7: one whose create %s is not open", async (fault) => {
    store.fail("create", fault);
    let ran = false;
    await expect(sessions.openClientlessSession("alice")).rejects.toMatchObject(inStore);
    await expect(sessions.withClientlessSession("alice", () => (ran = true))).rejects.toMatchObject(inStore);
    expect([await live(), ran]).toEqual([0, false]);
  });

  it("P7: reports where it could not end what may have been created", async () => {
    store.fail("create", "loses its answer");
    store.fail("end", "rejects");
    await expect(sessions.openClientlessSession("alice")).rejects.toMatchObject(inStore);
    expect(errors).toMatchObject([inStore]);
  });

  it("a save that failed can be tried again, and loses nothing", async () => {
    const session = await sessions.openClientlessSession("alice");
    session.set("a", 1);
    store.fail("update", "rejects");
    await expect(session.save()).rejects.toMatchObject(inStore);
    store.recover();
    session.set("b", 2);
    await session.save();
    expect((await store.load(session.id))?.data).toMatchObject({ a: "1", b: "2" });
    await session.close();
  });

  it("failures found by the timer are reported outside every request's context, even that of the request that opened the first session", async () => {
    const requests = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    sessions.on("error", () => seen.push(requests.getStore()));
    await requests.run("a request", () =>
      sessions.withClientlessSession("alice", async () => {
        store.fail("load", "rejects");
        store.fail("mutate", "rejects");
        while (seen.length === 0) await sleep(1);
        store.recover();
      }),
    );
    expect(new Set(seen)).toEqual(new Set([undefined]));
  });

  it("P7: a task whose changes could not be stored has no result", async () => {
    sessions.defineTask("count", ({ session }) => session.set("n", 1).get("n"));
    await sessions.withClientlessSession("alice", async (session) => {
      store.fail("update", "rejects");
      session.start("count");
      await expect(session.result("count")).rejects.toMatchObject({ ...inStore, cause: expect.any(OutageError) });
      store.recover();
      session.start("count");
      expect(await session.result("count")).toBe(1);
    });
    expect(errors).toEqual([]);
  });

  it("P7: a failed save of a failed task is reported, and the task's own error is the result", async () => {
    sessions.defineTask("fail", ({ session }) => {
      session.set("n", 1);
      throw new RangeError("the task's own");
    });
    const session = await sessions.openClientlessSession("alice");
    store.fail("update", "rejects");
    session.start("fail");
    await expect(session.result("fail")).rejects.toEqual(new RangeError("the task's own"));
    expect(errors).toMatchObject([inStore]);
    store.recover();
    await session.close();
  });

  it("a close that failed says so, and can be tried again", async () => {
    const session = await sessions.openClientlessSession("alice");
    store.fail("end", "rejects");
    await expect(session.close()).rejects.toMatchObject(inStore);
    expect(() => session.start("any")).toThrow(SessionError);
    store.recover();
    expect(await live()).toBe(1);
    await session.close();
    expect(await live()).toBe(0);
  });

  it("ends even if the last save fails, and says so", async () => {
    const session = await sessions.openClientlessSession("alice");
    session.set("a", 1);
    store.fail("update", "rejects");
    await expect(session.close()).rejects.toMatchObject(inStore);
    expect(await live()).toBe(0);
  });

  it("the caller gets the function's error, and a failure of the close is emitted as an event", async () => {
    const outcome = sessions.withClientlessSession("alice", () => {
      store.fail("end", "rejects");
      throw new RangeError("by the function");
    });
    await expect(outcome).rejects.toEqual(new RangeError("by the function"));
    expect(errors).toMatchObject([inStore]);
  });

  it("an outage ends no session: failed checks are reported, and the tasks go on", async () => {
    const gate = closedGate();
    sessions.defineTask("wait", async ({ signal }) => {
      await gate.pass();
      return signal.aborted ? "aborted" : "done";
    });
    await sessions.withClientlessSession("alice", async (session) => {
      session.start("wait");
      store.fail("load", "rejects");
      while (errors.length < 2) await sleep(5);
      store.recover();
      gate.open();
      expect(await session.result("wait")).toBe("done");
    });
    expect(errors[0]).toMatchObject(inStore);
  });

  it("leaves no timer running once the Sessions are closed", async () => {
    const session = await sessions.openClientlessSession("alice");
    await sessions.close();
    await expect(session.close()).rejects.toMatchObject({ code: "SESSION_CLOSED" });
    await expect(sessions.withClientlessSession("alice", () => 1)).rejects.toMatchObject({ code: "SESSION_CLOSED" });
    expect(() => sessions.defineTask("a", () => 1)).toThrow(expect.objectContaining({ code: "SESSION_CLOSED" }));
    expect(errors).toEqual([]);
  });

  it("watches no task that is started once the Sessions are closed", async () => {
    const gate = closedGate();
    sessions.defineTask("wait", () => gate.pass());
    const session = await sessions.openClientlessSession("alice");
    await sessions.close();
    session.start("wait");
    await sleep(30); // six times killCheckInterval
    expect(errors).toEqual([]);
    gate.open();
    await expect(session.close()).rejects.toMatchObject({ code: "SESSION_CLOSED" });
  });
});
