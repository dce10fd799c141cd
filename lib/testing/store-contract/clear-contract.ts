import { strict as assert } from "node:assert";
import { CLEAR_GRACE_MS } from "../../record/expiry";
import { HOUR, liveRecord, endingOf, idsOf } from "./sample-records";
import type { ContractTests } from "./store-contract";

export function clearContract({ describe, it }: ContractTests): void {
  describe("clear", () => {
    it("P8: deletes what is past its purge time and the grace, and nothing else", async (store, clock) => {
      const due = liveRecord({ purgeAt: clock.now - CLEAR_GRACE_MS - 1 });
      const inGrace = liveRecord({ purgeAt: clock.now - CLEAR_GRACE_MS });
      const later = liveRecord();
      const endless = liveRecord({ expiresAt: Infinity, endsAt: Infinity, idleMs: Infinity, purgeAt: Infinity });
      const ended = liveRecord();
      for (const record of [due, inGrace, later, endless, ended]) await store.create(record);
      await store.end(ended.id, {
        ...endingOf(ended),
        endedAt: clock.now - HOUR,
        purgeAt: clock.now - CLEAR_GRACE_MS - 1,
      });
      assert.equal(await store.clear(clock.now), 2);
      assert.deepEqual(await idsOf(store, { state: "live" }), [inGrace.id, later.id, endless.id].sort());
      assert.deepEqual(await idsOf(store, { state: "ended" }), []);
      assert.equal(await store.clear(clock.now), 0);
    });

    it("counts each record once when two clear at the same time, and reports progress", async (store, clock) => {
      const records = Array.from({ length: 60 }, () => liveRecord({ purgeAt: clock.now - HOUR }));
      await Promise.all(records.map((record) => store.create(record)));
      const reported: number[] = [];
      const counts = await Promise.all([store.clear(clock.now, (n) => reported.push(n)), store.clear(clock.now)]);
      assert.equal(counts[0] + counts[1], 60);
      assert.equal(reported.at(-1) ?? 0, counts[0]);
      assert.deepEqual(await idsOf(store, { state: "live" }), []);
    });

    it("leaves a record that was renewed before", async (store, clock) => {
      const record = liveRecord({ purgeAt: clock.now - HOUR });
      await store.create(record);
      await store.update(record.id, { expiresAt: clock.now + HOUR, purgeAt: clock.now + 2 * HOUR });
      assert.equal(await store.clear(clock.now), 0);
      assert.notEqual(await store.load(record.id), undefined);
      assert.equal(await store.clear(clock.now + 3 * HOUR), 1);
    });
  });

  describe("close", () => {
    it("refuses everything afterwards, and may be repeated", async (store) => {
      const record = liveRecord();
      await store.create(record);
      await store.close();
      await store.close();
      const closed = { code: "SESSION_CLOSED" };
      await assert.rejects(async () => store.load(record.id), closed);
      await assert.rejects(async () => store.create(liveRecord()), closed);
      await assert.rejects(async () => store.update(record.id, {}), closed);
      await assert.rejects(async () => store.mutate(record.id, () => undefined), closed);
      await assert.rejects(async () => store.replace(record.id, endingOf(record), liveRecord()), closed);
      await assert.rejects(async () => store.end(record.id, endingOf(record)), closed);
      await assert.rejects(async () => idsOf(store, { state: "live" }), closed);
      await assert.rejects(async () => store.tally(Date.now()), closed);
      await assert.rejects(async () => store.clear(Date.now()), closed);
    });
  });
}
