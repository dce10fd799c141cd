import { setImmediate as nextTurn } from "node:timers/promises";
import type { SessionStore } from "../../lib/stores/store";
import { startApp } from "../support/app";
import type { RunningApp } from "../support/app";
import { describeOnEveryStore } from "../support/every-store";
import { expectFailure, expectHealed, FAILING_REQUESTS } from "../support/failing-requests";
import { FaultyStore } from "../support/faulty-store";
import type { Fault, Operation } from "../support/faulty-store";
import { howMany } from "../support/how-many";
import { savingRoutes } from "../support/saving-routes";

/**
 * The time limit for what hangs, in milliseconds: longer than the store takes for the load before it, while all cases
 * run at once. A fault lasts until it is repaired, and what is to succeed has all the time that it needs.
 */
const TIMEOUT_MS = { MemoryStore: 500, SqliteStore: 1500, RedisStore: 1500, DatastoreStore: 3000, PostgresStore: 1500 };

const FAULTS: readonly Fault[] = ["hangs", "is late", "answers late"];
const TIMED_OUT = "SESSION_STORE_TIMEOUT";

/** Two apps on one store behind a line of its own; only `hasty` has a short time limit. */
interface Line {
  readonly user: string;
  readonly store: FaultyStore;
  readonly app: RunningApp;
  readonly hasty: RunningApp;
  /** The paths of the handlers that ran. */
  readonly reached: string[];
  /** The cookie of a session. */
  readonly headers: { readonly cookie: string };
  /** Also waits for what hung. */
  readonly recover: () => Promise<void>;
}

/** What is tried, by the test's name. */
const CASES: Record<string, (line: Line) => Promise<void>> = {
  "a known visitor is not served as a stranger while loads hang": async ({ store, app, hasty, headers, ...line }) => {
    store.fail("load", "hangs");
    expectFailure(await hasty.get("/read", headers), TIMED_OUT);
    await line.recover();
    expect(line.reached).toEqual([]);
    expect(JSON.parse((await app.get("/read", headers)).body)).toEqual({ tea: "black", owner: "__guest__" });
  },
  "a create that answers too late is not tried again (P2)": async ({ store, hasty }) => {
    store.fail("create", "answers late");
    expectFailure(await hasty.get("/twice"), TIMED_OUT);
    expect(store.calls.create).toBe(1);
  },
  "kills and listings whose query hangs reject": async ({ store, hasty, user }) => {
    store.fail("find", "hangs");
    const asked = [hasty.sessions.killSessionByUser(user), hasty.sessions.getSessionInfo()];
    for (const answer of await Promise.allSettled(asked)) expect(answer).toMatchObject({ reason: { code: TIMED_OUT } });
  },
  "where nobody can tell whether the session was replaced, a write gets 503 and starts none": async (line) => {
    const { store, app, hasty, headers, user } = line;
    await app.get(`/login?user=${user}`, headers);
    store.fail("find", "hangs");
    store.resetCalls();
    expectFailure(await hasty.get("/set", headers), TIMED_OUT);
    expect(store.calls.create).toBe(0);
  },
};

for (const fault of FAULTS) {
  CASES[`a kill whose end ${fault} rejects`] = async ({ store, app, hasty, headers, user, recover }) => {
    await app.get(`/login?user=${user}`, headers);
    store.fail("end", fault);
    await expect(hasty.sessions.killSessionByUser(user)).rejects.toMatchObject({ code: TIMED_OUT });
    await recover();
    await app.sessions.killSessionByUser(user);
    await expect(app.sessions.getSessionInfo({ username: user })).resolves.toEqual([]);
  };
}

for (const [index, [operation, path, visitor]] of FAILING_REQUESTS.entries()) {
  for (const fault of FAULTS) {
    if (!isTried(operation, fault, index)) continue;
    const name = `${operation} ${fault}: GET ${path} of a ${visitor} gets no cookie, and all works again afterwards`;
    CASES[name] = async ({ store, app, hasty, reached, headers, recover }) => {
      store.fail(operation, fault);
      // The fault lasts until `recover`: an answer that comes before it did not wait for the store.
      expectFailure(await hasty.get(path, visitor === "known" ? headers : {}), TIMED_OUT);
      expect(store.calls[operation]).toBe(1);
      expect(reached).toEqual(operation === "load" ? [] : [path]);
      await recover();
      await expectHealed(app, headers);
    };
  }
}

/** One request of each operation; in the short run, with one fault. */
function isTried(operation: Operation, fault: Fault, index: number): boolean {
  if (FAILING_REQUESTS.findIndex(([first]) => first === operation) !== index) return false;
  return howMany(0, 1) === 1 || FAULTS[index % FAULTS.length] === fault;
}

describeOnEveryStore("failing closed in time", (every) => {
  const outcomes = new Map<string, PromiseSettledResult<void>>();

  // All wait for a time limit, so they do it together.
  beforeAll(async () => {
    const inner = await every.open();
    const tried = Object.entries(CASES).map(async ([name, attempt], index) => {
      const [outcome] = await Promise.allSettled([onItsLine(inner, `user${index}`, attempt)]);
      outcomes.set(name, outcome);
    });
    await Promise.all(tried);
  });

  it.each(Object.keys(CASES))("P7: %s", (name) => {
    const outcome = outcomes.get(name);
    if (outcome?.status === "rejected") throw outcome.reason;
    expect(outcome?.status).toBe("fulfilled");
  });

  async function onItsLine(inner: SessionStore, user: string, attempt: (line: Line) => Promise<void>): Promise<void> {
    const store = new FaultyStore(inner);
    // The store is closed by its suite.
    store.close = async () => undefined;
    const reached: string[] = [];
    const app = await startApp(savingRoutes(reached), { store });
    const hasty = await startApp(savingRoutes(reached), { store, storeTimeout: TIMEOUT_MS[every.name] });
    const headers = { cookie: (await app.get("/set?tea=black")).cookie ?? "" };
    expect(headers.cookie).not.toBe("");
    reached.length = 0;
    store.resetCalls();
    const recover = async () => {
      store.recover();
      await store.idle();
      await nextTurn(); // An unhandled rejection would be reported by now.
    };
    try {
      await attempt({ user, store, app, hasty, reached, headers, recover });
    } finally {
      await recover();
      await app.close();
      await hasty.close();
    }
  }
});
