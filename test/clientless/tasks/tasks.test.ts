import { setTimeout as sleep } from "node:timers/promises";
import { currentSession, getUserContext, Sessions } from "../../../lib";
import type { ClientlessSession, Task } from "../../../lib";
import type { SessionStore } from "../../../lib/stores/store";
import { describeOnEveryStore } from "../../support/every-store";
import { closedGate } from "../../support/gate";

describeOnEveryStore("tasks", (every) => {
  let store: SessionStore;
  let sessions: Sessions;
  let session: ClientlessSession;
  let errors: unknown[];

  beforeEach(async () => {
    store = await every.open();
    errors = [];
    sessions = new Sessions({ store, clearSchedule: false, killCheckInterval: "10ms" });
    sessions.on("error", (error) => errors.push(error));
    session = await sessions.openClientlessSession("alice");
  });

  afterEach(() => sessions.close());

  const endReason = async () => (await sessions.getSession(session.id)).endReason;

  /** A task that goes on until its gate is opened, and reports that its signal aborted. */
  function held(name: string): ReturnType<typeof closedGate> & { aborted: unknown } {
    const gate = Object.assign(closedGate(), { aborted: undefined });
    sessions.defineTask(name, async ({ signal }) => {
      signal.addEventListener("abort", () => (gate.aborted = signal.reason));
      await gate.pass();
      return `${name} done`;
    });
    return gate;
  }

  it("start at once, in the session and its user's context, with a copy of the params", async () => {
    const params = { months: ["May"], from: new Date(0) };
    let began = false;
    sessions.defineTask<typeof params>("sum", async (given) => {
      began = true;
      await sleep(1);
      given.params.months.push("June");
      given.session.set("months", given.params.months);
      return [currentSession() === given.session, getUserContext(), given.params.from.getTime()];
    });
    const handle = session.start("sum", params);
    expect([began, handle.name]).toEqual([true, "sum"]);
    expect(await session.result("sum")).toEqual([true, "alice", 0]);
    expect(await handle.result()).toEqual([true, "alice", 0]);
    expect(params.months).toEqual(["May"]);
    expect((await store.load(session.id))?.data.months).toBe('["May","June"]');
    expect(currentSession()).toBeUndefined();
    await session.close();
  });

  it("reject with what they threw, at once or later", async () => {
    const thrown = [new RangeError("at once"), new TypeError("later")];
    sessions.defineTask("at once", () => {
      throw thrown[0]!;
    });
    sessions.defineTask("later", async ({ session: own }) => {
      own.set("seen", 1);
      await sleep(1);
      throw thrown[1]!;
    });
    for (const [name, error] of [["at once", thrown[0]] as const, ["later", thrown[1]] as const]) {
      session.start(name);
      await expect(session.result(name)).rejects.toBe(error);
    }
    expect((await store.load(session.id))?.data.seen).toBe("1");
    await session.close();
    expect(errors).toEqual([]);
  });

  it("emit an error where they fail and nobody asks for the result: when the name is started again, and at close", async () => {
    sessions.defineTask<string>("fail", async ({ params }) => Promise.reject(new RangeError(params)));
    session.start("fail", "first");
    await sleep(5);
    session.start("fail", "second");
    expect(errors).toEqual([new RangeError("first")]);
    await session.close();
    await session.close();
    expect(errors).toEqual([new RangeError("first"), new RangeError("second")]);
  });

  it("reject with TASK_TIMEOUT after the timeout, and go on", async () => {
    const gate = held("slow");
    session.start("slow");
    for (const timeout of [0, 5, "5ms"] as const) {
      await expect(session.result("slow", { timeout })).rejects.toMatchObject({ code: "TASK_TIMEOUT", status: 504 });
    }
    gate.open();
    expect(await session.result("slow", { timeout: "1m" })).toBe("slow done");
    expect(await session.result("slow", { timeout: 0 })).toBe("slow done");
    await session.close();
  });

  it("of one name may run more than once: result is the latest's, each handle has its own", async () => {
    sessions.defineTask<number>("double", async ({ params }) => {
      await sleep(10 - params);
      return params * 2;
    });
    const handles = [1, 5, 9].map((n) => session.start("double", n));
    expect(await session.result("double")).toBe(18);
    expect(await Promise.all(handles.map((handle) => handle.result()))).toEqual([2, 10, 18]);
    await session.close();
  });

  it("keep each other's changes where they run side by side", async () => {
    sessions.defineTask<string>("note", async ({ session: own, params }) => {
      own.set(params, true);
      await sleep(Math.random() * 5);
      await own.update("count", (n) => Number(n ?? 0) + 1);
    });
    const names = Array.from({ length: 20 }, (_, index) => `key${index}`);
    const handles = names.map((name) => session.start("note", name));
    await Promise.all(handles.map((handle) => handle.result()));
    const stored = await store.load(session.id);
    await session.close();
    expect(Object.keys(stored?.data ?? {}).sort()).toEqual([...names, "count"].sort());
    expect(stored?.data.count).toBe("20");
  });

  it("reject with why their changes could not be saved", async () => {
    sessions.defineTask("bad", ({ session: own }) => void own.set("url", new URL("http://x.example")));
    session.start("bad");
    await expect(session.result("bad")).rejects.toMatchObject({ code: "SESSION_VALUE" });
    await expect(session.close()).rejects.toMatchObject({ code: "SESSION_VALUE" });
    expect(await endReason()).toBe("closed");
  });

  describe("closing", () => {
    it("waits for running tasks, takes no new ones, and then ends", async () => {
      const gate = held("long");
      sessions.defineTask("other", () => "other");
      session.start("long");
      const closing = session.close();
      expect(() => session.start("other")).toThrow(expect.objectContaining({ code: "SESSION_ENDED" }));
      expect(await endReason()).toBeNull();
      gate.open();
      await closing;
      expect(await session.result("long")).toBe("long done");
      expect(await endReason()).toBe("closed");
    });

    it("by its id waits in the same way, in the process that has it open", async () => {
      const gate = held("long");
      session.start("long");
      const closing = Promise.all([sessions.closeClientlessSession(session.id), session.close()]);
      expect(await endReason()).toBeNull();
      gate.open();
      await closing;
      expect(await endReason()).toBe("closed");
    });

    it("refuses a task that a task starts", async () => {
      const gate = closedGate();
      sessions.defineTask("child", () => "child");
      sessions.defineTask("parent", async ({ session: own }) => {
        own.start("child");
        await gate.pass();
        own.start("child");
      });
      session.start("parent");
      const closing = session.close();
      gate.open();
      await closing;
      expect(await session.result("child")).toBe("child");
      await expect(session.result("parent")).rejects.toMatchObject({ code: "SESSION_ENDED" });
    });

    it("aborts tasks when drainTimeout is over, and succeeds where they stop", async () => {
      sessions.defineTask("polite", ({ signal }) => sleep(60_000, undefined, { signal }));
      session.start("polite");
      await session.close({ drainTimeout: 10 });
      await expect(session.result("polite")).rejects.toMatchObject({ name: "AbortError" });
      expect(await endReason()).toBe("closed");
    });

    it("names the tasks that hang, and ends nevertheless", async () => {
      const gates = [held("deaf"), held("dumb")];
      sessions.defineTask("quick", () => 1);
      for (const name of ["deaf", "dumb", "quick"]) session.start(name);
      await expect(session.close({ drainTimeout: 0 })).rejects.toMatchObject({
        code: "TASK_TIMEOUT",
        message: expect.stringMatching(/deaf, dumb\.$/),
      });
      expect(gates.map(({ aborted }) => (aborted as { code: string }).code)).toEqual([
        "SESSION_ENDED",
        "SESSION_ENDED",
      ]);
      expect(await endReason()).toBe("closed");
      for (const gate of gates) gate.open();
    });

    it("can be cut short by a second close", async () => {
      const gate = held("deaf");
      session.start("deaf");
      const patient = session.close();
      await expect(session.close({ drainTimeout: 1 })).rejects.toMatchObject({ code: "TASK_TIMEOUT" });
      gate.open();
      await patient;
    });

    it("is refused inside the session's own task, which would wait for itself", async () => {
      sessions.defineTask("ouroboros", ({ session: own }) => own.close());
      session.start("ouroboros");
      await expect(session.result("ouroboros")).rejects.toMatchObject({ code: "SESSION_ARGUMENT" });
      await session.close();
    });

    it("of withClientlessSession waits for tasks even when the function throws", async () => {
      const gate = held("long");
      const outcome = sessions.withClientlessSession("bob", (own) => {
        own.start("long");
        throw new RangeError("by the function");
      });
      setTimeout(gate.open, 20);
      await expect(outcome).rejects.toEqual(new RangeError("by the function"));
      expect(await sessions.getSessionInfo({ username: "bob" })).toEqual([]);
      await session.close();
    });

    it("P2: stores nothing that a task sets afterwards", async () => {
      const gate = closedGate();
      sessions.defineTask("late", async ({ session: own }) => {
        await gate.pass();
        own.set("late", true);
      });
      session.start("late");
      await expect(session.close({ drainTimeout: 0 })).rejects.toMatchObject({ code: "TASK_TIMEOUT" });
      gate.open();
      await expect(session.result("late")).rejects.toMatchObject({ code: "SESSION_ENDED" });
      expect(await store.load(session.id)).toBeUndefined();
    });
  });

  describe("of a session that is killed", () => {
    /** The kill, as this process hears of it. */
    const kills: Record<string, (id: string) => Promise<unknown>> = {
      "in this process": (id) => sessions.kill(id),
      "from another process": (id) => new Sessions({ store, clearSchedule: false }).kill(id),
    };

    it.each(Object.entries(kills))("a kill %s aborts its tasks, and the close says so", async (_where, kill) => {
      const gate = held("long");
      session.start("long");
      await kill(session.id);
      while (gate.aborted === undefined) await sleep(5);
      expect(gate.aborted).toMatchObject({ code: "SESSION_ENDED" });
      expect(() => session.start("long")).toThrow(expect.objectContaining({ code: "SESSION_ENDED" }));
      gate.open();
      await expect(session.close()).rejects.toMatchObject({ code: "SESSION_ENDED" });
      expect(await endReason()).toBe("killed");
    });
  });

  it("refuse wrong arguments, and start nothing", async () => {
    let runs = 0;
    const define = (...args: unknown[]) => sessions.defineTask(...(args as [string, Task]));
    expect(() => session.start("none")).toThrow(/No task "none" was defined; there is none yet\./);
    define("one", () => (runs += 1));
    define("two", () => (runs += 1));
    const refused: [() => unknown, string, RegExp][] = [
      [() => define("one", () => 1), "SESSION_ARGUMENT", /"one" is already defined/],
      [() => define("", () => 1), "SESSION_ARGUMENT", /takes a name/],
      [() => define("three", "no function"), "SESSION_ARGUMENT", /takes a function, .* not string/],
      [() => session.start("three"), "TASK_UNKNOWN", /No task "three" was defined; those that were: "one", "two"\./],
      [() => session.start("__proto__"), "TASK_UNKNOWN", /No task "__proto__"/],
      [() => session.start("one", { run: () => 1 }), "SESSION_ARGUMENT", /params\.run is a function/],
      [() => session.start("one", [Symbol("s")]), "SESSION_ARGUMENT", /params\[0\] is a symbol/],
    ];
    for (const [call, code, message] of refused) {
      expect(call).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }));
    }
    await expect(session.result("one")).rejects.toMatchObject({ code: "TASK_UNKNOWN" });
    expect(runs).toBe(0);
    const handle = session.start("one");
    for (const timeout of [-1, NaN, "soon", "", 2 ** 31] as never[]) {
      const wrong = { code: "SESSION_ARGUMENT", message: expect.stringMatching(/^timeout can't be/) };
      await expect(handle.result({ timeout })).rejects.toMatchObject(wrong);
    }
    await expect(session.close({ drainTimeout: -1 })).rejects.toMatchObject({ code: "SESSION_ARGUMENT" });
    expect(await endReason()).toBeNull();
    await session.close();
    expect(errors).toEqual([]);
  });
});
