import { StoreCalls } from "../../../lib/stores/guard/store-calls";

const never = () => new Promise<never>(() => undefined);

/** A source whose steps are these; it notes whether it was let go. */
function source(steps: readonly (() => Promise<IteratorResult<number>>)[], end: () => Promise<any> = async () => ({})) {
  const left = [...steps];
  const source = {
    isLetGo: false,
    [Symbol.asyncIterator]: () => ({
      next: () => left.shift()!(),
      return: () => {
        source.isLetGo = true;
        return end();
      },
    }),
  };
  return source;
}

const step = (value: number) => async () => ({ value, done: false as const });
const over = async () => ({ value: undefined, done: true as const });

describe("a stream of a store", () => {
  it("gives all that is found", async () => {
    const found: number[] = [];
    const calls = new StoreCalls(60_000);
    for await (const value of calls.stream("find", () => source([step(1), step(2), over]))) found.push(value);
    expect(found).toEqual([1, 2]);
  });

  it("P7: fails where one step takes too long, and does not wait for a source that hangs to be let go", async () => {
    const hanging = source([step(1), never], never);
    const stream = new StoreCalls(30).stream("find", () => hanging);
    await expect(stream.next()).resolves.toEqual({ value: 1, done: false });
    await expect(stream.next()).rejects.toMatchObject({ code: "SESSION_STORE_TIMEOUT" });
    expect(hanging.isLetGo).toBe(true);
  });

  it("P7: fails with the store's own error as the cause, at the start and at a step", async () => {
    const own = new Error("connection reset");
    const failing = () => Promise.reject(own);
    const start = () => {
      throw own;
    };
    const failure = { code: "SESSION_STORE", cause: own };
    await expect(new StoreCalls(30).stream("find", start).next()).rejects.toMatchObject(failure);
    await expect(new StoreCalls(30).stream("find", () => source([failing])).next()).rejects.toMatchObject(failure);
  });

  it("lets its source go where the caller wants no more", async () => {
    const long = source([step(1), step(2)]);
    for await (const value of new StoreCalls(30).stream("find", () => long)) if (value === 1) break;
    expect(long.isLetGo).toBe(true);
  });

  it("goes no further once the calls were closed", async () => {
    const calls = new StoreCalls(30);
    const stream = calls.stream("find", () => source([step(1), step(2)]));
    await stream.next();
    await calls.close(async () => undefined);
    await expect(stream.next()).rejects.toMatchObject({ code: "SESSION_CLOSED" });
  });
});
