import { StoreCalls } from "../../../lib/stores/guard/store-calls";

const never = () => new Promise<never>(() => undefined);
const CLOSED = { code: "SESSION_CLOSED" };

/** A promise that is resolved from outside. */
function pending() {
  let resolve!: (value: string) => void;
  const promise = new Promise<string>((done) => (resolve = done));
  return { promise, resolve };
}

describe("StoreCalls", () => {
  it("hand on what an operation answers in time, and a timeout where it does not", async () => {
    const calls = new StoreCalls(30);
    await expect(calls.run("load", async () => "answer")).resolves.toBe("answer");
    await expect(calls.inTime("load", Promise.resolve("answer"))).resolves.toBe("answer");
    await expect(calls.run("load", never)).rejects.toMatchObject({ code: "SESSION_STORE_TIMEOUT" });
    await expect(calls.inTime("load", never())).rejects.toMatchObject({ code: "SESSION_STORE_TIMEOUT" });
  });

  it("close the store once, after what is under way", async () => {
    const calls = new StoreCalls(60_000);
    const order: string[] = [];
    const { promise, resolve } = pending();
    const call = calls.run("update", () => promise).then((answer) => order.push(answer));
    const closeStore = async () => void order.push("closed");
    const closing = [calls.close(closeStore), calls.close(closeStore)];
    await new Promise(setImmediate);
    expect(order).toEqual([]);
    resolve("answered");
    await Promise.all([call, ...closing]);
    expect(order.sort()).toEqual(["answered", "closed"]);
  });

  it("wait also for a call without a time limit, but no longer than one call may take", async () => {
    const calls = new StoreCalls(30);
    const { promise, resolve } = pending();
    const call = calls.runUnlimited("clear", () => promise);
    let isClosed = false;
    const closing = calls.close(async () => void (isClosed = true));
    await new Promise(setImmediate);
    expect(isClosed).toBe(false);
    await closing;
    expect(isClosed).toBe(true);
    resolve("cleared");
    await expect(call).resolves.toBe("cleared");
  });

  it("fail once they were closed, and reach the store no more", async () => {
    const calls = new StoreCalls(30);
    await calls.close(async () => undefined);
    const asked = jest.fn(async () => "answer");
    await expect(calls.run("load", asked)).rejects.toMatchObject(CLOSED);
    await expect(calls.runUnlimited("clear", asked)).rejects.toMatchObject(CLOSED);
    expect(() => calls.assertOpen()).toThrow(expect.objectContaining(CLOSED));
    expect(asked).not.toHaveBeenCalled();
  });

  it("fail at closing as at any other operation", async () => {
    const own = new Error("busy");
    const failing = new StoreCalls(30);
    await expect(failing.close(() => Promise.reject(own))).rejects.toMatchObject({ code: "SESSION_STORE", cause: own });
    await expect(new StoreCalls(30).close(never)).rejects.toMatchObject({ code: "SESSION_STORE_TIMEOUT" });
  });
});
