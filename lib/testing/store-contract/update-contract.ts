import { strict as assert } from "node:assert";
import { MINUTE, map, liveRecord, fullRecord, endingOf, loaded, idsOf, plain } from "./sample-records";
import type { ContractTests } from "./store-contract";

export function updateContract({ describe, it }: ContractTests): void {
  describe("update", () => {
    it("P3: writes what the delta names and nothing else", async (store) => {
      const record = liveRecord({ data: map({ kept: "1", changed: "2", removed: "3" }) });
      await store.create(record);
      const delta = { data: { set: map({ changed: '"two"', added: "4" }), remove: ["removed", "never there"] } };
      assert.equal(await store.update(record.id, delta), true);
      const after = await loaded(store, record.id);
      assert.deepEqual(plain(after.data), { kept: "1", changed: '"two"', added: "4" });
      assert.deepEqual(plain({ ...after, data: null }), plain({ ...record, data: null }));
    });

    it("P3: keeps every one of many parallel updates of different keys", async (store) => {
      const record = liveRecord();
      await store.create(record);
      const keys = Array.from({ length: 20 }, (_, index) => `key${index}`);
      const answers = await Promise.all(
        keys.map((key) => store.update(record.id, { data: { set: map({ [key]: `"${key}"` }) } })),
      );
      assert.ok(answers.every((answer) => answer));
      assert.deepEqual(Object.keys((await loaded(store, record.id)).data).sort(), keys.sort());
    });

    it("writes the owner, the times and every map", async (store) => {
      const record = liveRecord();
      await store.create(record);
      const sample = fullRecord();
      const times = {
        lastSeenAt: record.lastSeenAt + MINUTE,
        idleMs: 2 * MINUTE,
        expiresAt: record.expiresAt + MINUTE,
        purgeAt: record.purgeAt + 30 * MINUTE,
      };
      await store.update(record.id, {
        ...times,
        owner: "bob",
        attributes: { set: sample.attributes },
        keys: { set: sample.keys },
        pages: { set: sample.pages },
        counters: { bytes: 5 },
      });
      await store.update(record.id, { counters: { bytes: 7, other: 1 } });
      const after = await loaded(store, record.id);
      assert.deepEqual(
        plain(after),
        plain({
          ...record,
          ...times,
          owner: "bob",
          attributes: sample.attributes,
          keys: sample.keys,
          pages: sample.pages,
          counters: map({ bytes: 12, other: 1 }),
        }),
      );
      assert.deepEqual(await idsOf(store, { state: "live", owner: "bob" }), [record.id]);
      assert.deepEqual(await idsOf(store, { state: "live", owner: record.owner }), []);
    });

    it("adds up increments that come at the same time", async (store) => {
      const record = liveRecord();
      await store.create(record);
      await Promise.all(Array.from({ length: 10 }, () => store.update(record.id, { counters: { n: 2 } })));
      assert.equal((await loaded(store, record.id)).counters.n, 20);
    });

    it("P2: is false for an id that is unknown or ended, and creates nothing", async (store) => {
      const record = liveRecord();
      const delta = { data: { set: map({ a: "1" }) } };
      assert.equal(await store.update(record.id, delta), false);
      await store.create(record);
      await store.end(record.id, endingOf(record));
      assert.equal(await store.update(record.id, delta), false);
      assert.equal(await store.load(record.id), undefined);
    });
  });
}
