import { setImmediate as nextTurn } from "node:timers/promises";
import { BatchedWork } from "../../../lib/cli/copy/batched-work";
import { ReadAhead } from "../../../lib/cli/copy/read-ahead";

/** Work whose outcome is given by hand. */
function heldWork() {
  const held: ((isSuccess: boolean) => void)[] = [];
  const begun: number[] = [];
  const work = new BatchedWork<number>((item) => {
    begun.push(item);
    return new Promise((resolve) => held.push(resolve));
  });
  const settle = async (isSuccess = true) => {
    for (const resolve of held.splice(0)) resolve(isSuccess);
    await nextTurn();
  };
  return { work, begun, settle };
}

const numbers = (count: number) => Array.from({ length: count }, (_, at) => at);

describe("Work on many sessions", () => {
  it("is begun in batches, of which two are under way, and which grow while all succeed", async () => {
    const { work, begun, settle } = heldWork();
    for (const item of numbers(32)) await work.add(item, 1);
    expect(begun.length).toBe(32);
    for (const item of numbers(31)) await work.add(item, 1);
    const added = work.add(31, 1);
    await nextTurn();
    expect(begun.length).toBe(64);
    await settle();
    await added;
    for (const item of numbers(63)) await work.add(item, 1);
    expect(begun.length).toBe(64);
    const finished = work.finish(false);
    await nextTurn();
    expect(begun.length).toBe(127);
    await settle();
    await finished;
  });

  it("is begun earlier where it is large, in small batches after a failure, and not at all once it is given up", async () => {
    const { work, begun, settle } = heldWork();
    await work.add(0, 2 ** 23);
    expect(begun).toEqual([0]);
    await settle();
    for (const at of numbers(64)) if (at < 63) await work.add(at, 1);
    const added = work.add(63, 1);
    await settle(false);
    await added;
    begun.length = 0;
    for (const at of numbers(31)) await work.add(at, 1);
    expect(begun).toEqual([]);
    await work.finish(true);
    expect(begun).toEqual([]);
  });
});

describe("Reading ahead", () => {
  async function* counting(read: number[], failsAt = Infinity) {
    for (let at = 0; at < 200; at += 1) {
      if (at === failsAt) throw new Error("cut off");
      read.push(at);
      yield at;
    }
  }

  it("returns every item in its order, and reads some before they are asked for", async () => {
    const read: number[] = [];
    const items = new ReadAhead(counting(read));
    expect(read).toEqual([]);
    expect(await items.next()).toEqual({ done: false, value: 0 });
    await nextTurn();
    expect(read.length).toBeGreaterThan(1);
    expect(read.length).toBeLessThan(200);
    const others: number[] = [];
    for (let next = await items.next(); next.done !== true; next = await items.next()) others.push(next.value);
    expect(others).toEqual(numbers(200).slice(1));
  });

  it("fails where the reading has failed, after what was read before", async () => {
    const items = new ReadAhead(counting([], 2));
    expect((await items.next()).value).toBe(0);
    await nextTurn();
    expect((await items.next()).value).toBe(1);
    await expect(items.next()).rejects.toThrow("cut off");
    expect(await items.return()).toEqual({ done: true, value: undefined });
  });
});
