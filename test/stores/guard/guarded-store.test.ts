import { GuardedStore } from "../../../lib/stores/guard/guarded-store";
import { MemoryStore } from "../../../lib/stores/memory-store";
import { sessionRecord } from "../../support/session-records";

const never = () => new Promise<never>(() => undefined);

class HangingStore extends MemoryStore {
  override update = never;
}

describe("GuardedStore", () => {
  it("P7: answers each of many operations of a store that hangs with a timeout, in their order", async () => {
    const store = new GuardedStore(new HangingStore(), { timeoutMs: 30, now: Date.now });
    const order: number[] = [];
    const writes = Array.from({ length: 50 }, (_, index) =>
      store.write(sessionRecord({}), {}).catch((error: unknown) => {
        order.push(index);
        return (error as { code: string }).code;
      }),
    );
    expect(new Set(await Promise.all(writes))).toEqual(new Set(["SESSION_STORE_TIMEOUT"]));
    expect(order).toEqual(writes.map((_, index) => index));
  });

  it("keeps its deadlines after a pause in which there were none", async () => {
    const store = new GuardedStore(new HangingStore(), { timeoutMs: 30, now: Date.now });
    await store.create(sessionRecord({}));
    await expect(store.write(sessionRecord({}), {})).rejects.toMatchObject({ code: "SESSION_STORE_TIMEOUT" });
    await store.load(sessionRecord({}).id);
    await expect(store.write(sessionRecord({}), {})).rejects.toMatchObject({ code: "SESSION_STORE_TIMEOUT" });
  });

  it("closes also where an operation never answers, and closes the store only then", async () => {
    const inner = new HangingStore();
    const store = new GuardedStore(inner, { timeoutMs: 30, now: Date.now });
    const write = store.write(sessionRecord({}), {}).catch((error: unknown) => (error as { code: string }).code);
    const closing = store.close();
    expect(inner.load("x")).toBeUndefined();
    await closing;
    expect(await write).toBe("SESSION_STORE_TIMEOUT");
    expect(() => inner.load("x")).toThrow(expect.objectContaining({ code: "SESSION_CLOSED" }));
    await expect(store.write(sessionRecord({}), {})).rejects.toMatchObject({ code: "SESSION_CLOSED" });
  });
});
