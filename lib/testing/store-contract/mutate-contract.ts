import { strict as assert } from "node:assert";
import { AsyncLocalStorage } from "node:async_hooks";
import type { SessionRecord } from "../../record/session-record";
import { map, liveRecord, endingOf, loaded, plain } from "./sample-records";
import type { ContractTests } from "./store-contract";

export function mutateContract({ describe, it }: ContractTests): void {
  describe("mutate", () => {
    it("P3: loses no step of parallel read-modify-writes", async (store) => {
      const record = liveRecord({ data: map({ n: "0" }) });
      await store.create(record);
      const addOne = (current: SessionRecord) => ({
        data: { set: map({ n: String(Number(current.data.n) + 1) }) },
      });
      const after = await Promise.all(Array.from({ length: 10 }, () => store.mutate(record.id, addOne)));
      assert.equal((await loaded(store, record.id)).data.n, "10");
      assert.deepEqual(
        after.map((one) => Number(one?.data.n)).sort((a, b) => a - b),
        [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
      );
    });

    it("calls the change in the asynchronous context of its caller, so that it can tell for whom it is made", async (store) => {
      const record = liveRecord({ data: map({}) });
      await store.create(record);
      const context = new AsyncLocalStorage<string>();
      const callers = ["alice", "bob", "carol"];
      await Promise.all(
        callers.map((caller) =>
          context.run(caller, () =>
            store.mutate(record.id, () => ({ data: { set: map({ [caller]: String(context.getStore()) }) } })),
          ),
        ),
      );
      const { data } = await loaded(store, record.id);
      assert.deepEqual(
        callers.map((caller) => data[caller]),
        callers,
      );
    });

    it("writes nothing where the change is undefined, and returns the record", async (store) => {
      const record = liveRecord({ data: map({ a: "1" }) });
      await store.create(record);
      assert.deepEqual(plain(await store.mutate(record.id, () => undefined)), plain(record));
    });

    it("rejects with what the change throws, and writes nothing", async (store) => {
      const record = liveRecord({ data: map({ a: "1" }) });
      await store.create(record);
      const thrown = new Error("changed my mind");
      await assert.rejects(
        store.mutate(record.id, () => {
          throw thrown;
        }),
        (error) => error === thrown,
      );
      assert.deepEqual(plain(await store.load(record.id)), plain(record));
    });

    it("P8: refuses an expired record from the very millisecond", async (store, clock) => {
      const record = liveRecord({ expiresAt: clock.now + 1000 });
      await store.create(record);
      clock.now += 999;
      assert.notEqual(await store.mutate(record.id, () => ({ data: { set: map({ a: "1" }) } })), undefined);
      clock.now += 1;
      assert.equal(await store.mutate(record.id, () => ({ data: { set: map({ a: "2" }) } })), undefined);
      assert.equal((await loaded(store, record.id)).data.a, "1");
    });

    it("P2: is undefined for an ended record, and creates nothing", async (store) => {
      const record = liveRecord();
      assert.equal(await store.mutate(record.id, () => ({ owner: "eve" })), undefined);
      await store.create(record);
      await store.end(record.id, endingOf(record));
      assert.equal(await store.mutate(record.id, () => ({ owner: "eve" })), undefined);
      assert.equal(await store.load(record.id), undefined);
    });
  });
}
