import vm from "node:vm";
import { GuardedStore } from "../../../lib/stores/guard/guarded-store";
import { MemoryStore } from "../../../lib/stores/memory-store";
import { sessionRecord } from "../../support/session-records";

describe("a store whose promises are of another kind", () => {
  it.each([
    ["of another realm", <T>(value: T) => vm.runInNewContext("(value) => Promise.resolve(value)")(value) as Promise<T>],
    ["of a class of its own", <T>(value: T) => ({ then: Promise.resolve(value).then.bind(Promise.resolve(value)) })],
  ])("P7: is waited for: one %s", async (_kind, promiseOf) => {
    class OtherStore extends MemoryStore {
      override load(id: string): any {
        return promiseOf(super.load(id));
      }
    }
    const store = new GuardedStore(new OtherStore(), { timeoutMs: 5_000, now: Date.now });
    const record = sessionRecord();
    await store.create(record);
    const answer = store.load(record.id);
    expect(answer).toBeInstanceOf(Promise);
    await expect(answer).resolves.toEqual(record);
    await store.close();
  });
});
