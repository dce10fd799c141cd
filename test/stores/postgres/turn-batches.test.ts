import { setImmediate as nextTurn } from "node:timers/promises";
import { TurnBatches, writeTogether } from "../../../lib/stores/postgres/turn-batches";
import type { Write } from "../../../lib/stores/postgres/turn-batches";

const TIMEOUT_MS = 600_000;
/** After so many milliseconds a statement is slow. */
const SLOW_MS = 50;

// A machine that is busy for a moment must make no statement slow: time goes on only where a test says so.
beforeEach(() =>
  jest.useFakeTimers({ doNotFake: ["setImmediate", "nextTick", "queueMicrotask", "performance", "Date"] }),
);
afterEach(() => jest.useRealTimers());

/** Batches whose statements are answered one by one. */
function batches(options: { isInOrder?: boolean } = {}) {
  const sent: string[][] = [];
  const answers: (() => void)[] = [];
  const all = new TurnBatches<Write>(
    "a test",
    { timeoutMs: TIMEOUT_MS, isInOrder: false, ...options },
    async (jobs) => {
      sent.push([...jobs.keys()]);
      await new Promise<void>((resolve) => answers.push(resolve));
      for (const job of [...jobs.values()].flat()) job.resolve(true);
    },
  );
  const ask = (id: string, askedAt = performance.now()) =>
    new Promise<boolean>((resolve, reject) => all.add({ id, askedAt, resolve, reject }));
  const answer = async () => {
    answers.shift()?.();
    await nextTurn();
    await nextTurn();
  };
  return { all, ask, answer, sent };
}

describe("What is asked for", () => {
  it("in one turn goes together, and later while two are under way goes together in the next one", async () => {
    const { ask, answer, sent, all } = batches();
    const asked = [ask("a"), ask("b"), ask("a")];
    await nextTurn();
    asked.push(ask("c"));
    await nextTurn();
    asked.push(ask("a"), ask("d"));
    await nextTurn();
    asked.push(ask("e"));
    await nextTurn();
    expect(sent).toEqual([["a", "b"], ["c"]]);
    await answer();
    expect(sent).toEqual([["a", "b"], ["c"], ["a", "d", "e"]]);
    await answer();
    await answer();
    expect(await Promise.all(asked)).toEqual(asked.map(() => true));
    await all.idle();
  });

  it("of one id is not sent while that id is under way, where order counts; others are", async () => {
    const { ask, answer, sent } = batches({ isInOrder: true });
    const asked = [ask("a")];
    await nextTurn();
    asked.push(ask("a"), ask("b"));
    await nextTurn();
    expect(sent).toEqual([["a"], ["b"]]);
    await answer();
    await answer();
    await answer();
    expect(sent).toEqual([["a"], ["b"], ["a"]]);
    await Promise.all(asked);
  });

  it("waits for no statement that is slow", async () => {
    const { ask, answer, sent } = batches();
    const asked = [ask("a")];
    await nextTurn();
    asked.push(ask("b"));
    await nextTurn();
    asked.push(ask("c"));
    await nextTurn();
    expect(sent).toEqual([["a"], ["b"]]);
    jest.advanceTimersByTime(SLOW_MS);
    await nextTurn();
    expect(sent).toEqual([["a"], ["b"], ["c"]]);
    for (let n = 0; n < 3; n += 1) await answer();
    await Promise.all(asked);
  });

  it("P7: is never sent after its time was over", async () => {
    const { ask, answer, sent, all } = batches({ isInOrder: true });
    const first = ask("a");
    await nextTurn();
    const late = ask("a", performance.now() - TIMEOUT_MS).catch((error: unknown) => error);
    await answer();
    expect(await first).toBe(true);
    expect(await late).toMatchObject({ code: "SESSION_STORE_TIMEOUT" });
    expect(sent).toEqual([["a"]]);
    await all.idle();
  });

  it("fails at once where too many wait, and each caller gets an error of its own", async () => {
    const { ask } = batches();
    const asked = Array.from({ length: 10_002 }, (_, n) => ask(`id${n}`).catch((error: unknown) => error));
    const [one, other] = await Promise.all(asked.slice(-2));
    expect(one).toMatchObject({ code: "SESSION_STORE", message: /too slow/ });
    expect(other).not.toBe(one);
  });
});

describe("Writes that go together", () => {
  it("P2: end a session for one caller only", async () => {
    const told: boolean[] = [];
    const job = { id: "a", askedAt: 0, resolve: (is: boolean) => void told.push(is), reject: fail };
    await writeTogether(new Map([["a", [job, job, job]]]), { isOnce: true }, async () => new Set(["a"]));
    expect(told).toEqual([true, false, false]);
  });
});

function fail(error: Error): void {
  throw error;
}
