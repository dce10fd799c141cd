import { createHook } from "node:async_hooks";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Sessions } from "../../lib";
import { describeOnEveryStore, POOL_SIZE } from "../support/every-store";
import { howMany } from "../support/how-many";

/** Each closes two sessions, so half as many rounds do. */
const CYCLES = {
  MemoryStore: howMany(2_000, 10_000),
  SqliteStore: howMany(2_000, 10_000),
  PostgresStore: howMany(1_000, 5_000),
  RedisStore: howMany(300, 10_000),
  DatastoreStore: howMany(300, 10_000),
};
/**
 * One is for the deadlines of all calls of the store, and is set again when its time is over. `RedisStore` has one of its
 * own as well, and the pool of `pg` one for each idle connection.
 */
const MOST_TIMERS = {
  MemoryStore: 1,
  SqliteStore: 1,
  PostgresStore: 1 + POOL_SIZE,
  RedisStore: 2,
  DatastoreStore: 1,
};
/** By then the runtime has compiled what it will, and the client of a store has its buffers. */
const WARM_UP = 200;
const AT_A_TIME = 50;
const LIB = join(__dirname, "../../lib/");
/** Two sessions that stayed in memory would take several times this; the runtime itself takes some, more or less. */
const SLACK_BYTES_PER_CYCLE = 400;
const SLACK_BYTES = 512 * 1024;

setFlagsFromString("--expose-gc");
const gc = runInNewContext("gc") as () => void;

describeOnEveryStore("clientless sessions that were closed", (every) => {
  const cycles = CYCLES[every.name];
  // The emulator may be busy.
  const storeTimeout = every.name === "DatastoreStore" ? "20s" : "5s";

  it("leave nothing behind: no memory, listeners, timers or records, however many there were", async () => {
    const store = await every.open();
    const sessions = new Sessions({ store, clearSchedule: false, keepEnded: 0, storeTimeout });
    sessions.defineTask<number>("double", async ({ params, signal, session }) => {
      signal.addEventListener("abort", () => session.set("stopped", true));
      session.set("doubled", params * 2);
      return params * 2;
    });
    const cycle = async (n: number) => {
      const doubled = await sessions.withClientlessSession("alice", async (session) => {
        session.start("double", n);
        return session.result("double", { timeout: "1m" });
      });
      expect(doubled).toBe(n * 2);
      const plain = await sessions.openClientlessSession("bob", { data: { text: "x".repeat(1_000) } });
      plain.start("double", n);
      if (n % 2 === 0) await plain.close();
      else await sessions.closeClientlessSession(plain.id);
    };
    const run = async (count: number) => {
      for (let done = 0; done < count; done += AT_A_TIME) {
        await Promise.all(Array.from({ length: AT_A_TIME }, (_, index) => cycle(done + index)));
      }
    };
    const timers = new Set<number>();
    const hook = createHook({
      init: (id, type) => {
        if (type === "Timeout" && isOurs()) timers.add(id);
      },
      destroy: (id) => {
        timers.delete(id);
      },
    });
    await run(Math.max(WARM_UP, cycles / 10));
    const before = await state(sessions);
    hook.enable();
    await run(cycles / 2);
    const after = await state(sessions);
    hook.disable();
    expect(after.bytes - before.bytes).toBeLessThan(SLACK_BYTES + cycles * SLACK_BYTES_PER_CYCLE);
    expect(after.listeners).toEqual(before.listeners);
    expect(timers.size).toBeLessThanOrEqual(MOST_TIMERS[every.name]);
    for (const query of [{ state: "live" }, { state: "ended" }] as const) {
      for await (const record of store.find(query)) throw new Error(`${record.id} was left behind.`);
    }
    await sessions.close();
  });
});

/**
 * Whether our code is running: the test runner has timers, too. Its stack as text would keep the maps of all sources in
 * memory.
 */
function isOurs(): boolean {
  const before: unknown = Reflect.get(Error, "prepareStackTrace");
  Error.prepareStackTrace = (_error, sites) => sites.some((site) => site.getFileName()?.startsWith(LIB));
  const { stack } = new Error();
  Reflect.set(Error, "prepareStackTrace", before);
  return stack as unknown as boolean;
}

/** What could grow, measured while nothing is under way. */
async function state(sessions: Sessions) {
  // A FinalizationRegistry is called in a later turn of the event loop.
  for (let turn = 0; turn < 3; turn += 1) {
    gc();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const emitters = [process, sessions] as NodeJS.EventEmitter[];
  return {
    bytes: process.memoryUsage().heapUsed,
    listeners: emitters.map((emitter) => emitter.eventNames().map((name) => emitter.listenerCount(name))),
  };
}
