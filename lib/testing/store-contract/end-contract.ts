import { strict as assert } from "node:assert";
import { BYTES_SENT } from "../../record/session-record";
import { map, liveRecord, fullRecord, endingOf, endedOf, plain } from "./sample-records";
import type { ContractTests } from "./store-contract";

export function endContract({ describe, it }: ContractTests): void {
  describe("end", () => {
    it("P2: is true for exactly one of many callers", async (store) => {
      const record = liveRecord();
      await store.create(record);
      const answers = await Promise.all(Array.from({ length: 10 }, () => store.end(record.id, endingOf(record))));
      assert.equal(answers.filter(Boolean).length, 1);
      assert.equal(await store.load(record.id), undefined);
    });

    it("keeps who, when and why, and none of the data", async (store) => {
      const record = fullRecord();
      await store.create(record);
      const ending = endingOf(record);
      await store.end(record.id, ending);
      const { v, id, owner, project, scope, createdAt, lastSeenAt, remoteAddress, userAgent } = record;
      assert.deepEqual(plain(await endedOf(store, record.id)), {
        ...{ v, id, owner, project, scope, createdAt, lastSeenAt, remoteAddress, userAgent },
        ...ending,
      });
    });

    it("keeps what the user may read, and how much the client had sent", async (store) => {
      for (const message of ["Please sign in again 🍵", undefined]) {
        const record = liveRecord({ counters: map({ [BYTES_SENT]: 1234 }) });
        await store.create(record);
        await store.update(record.id, { counters: { [BYTES_SENT]: 6 } });
        await store.end(record.id, { ...endingOf(record), ...(message === undefined ? {} : { message }) });
        const ended = await endedOf(store, record.id);
        assert.deepEqual([ended?.message, ended?.bytesSent], [message, 1240]);
      }
    });

    it("keeps nothing where nothing is to be kept", async (store) => {
      const record = liveRecord();
      await store.create(record);
      const ending = endingOf(record);
      assert.equal(await store.end(record.id, { ...ending, purgeAt: ending.endedAt }), true);
      assert.equal(await endedOf(store, record.id), undefined);
    });

    it("P2: no update that runs beside the end brings the session back", async (store) => {
      for (let round = 0; round < 10; round += 1) {
        const record = liveRecord({ data: map({ n: "0" }) });
        await store.create(record);
        await Promise.all([
          store.update(record.id, { data: { set: map({ a: "1" }) } }),
          store.mutate(record.id, () => ({ data: { set: map({ b: "1" }) } })),
          store.end(record.id, endingOf(record)),
          store.update(record.id, { lastSeenAt: record.lastSeenAt + 1 }),
          store.replace(record.id, endingOf(record, "reset"), liveRecord()),
        ]);
        assert.equal(await store.load(record.id), undefined);
      }
    });
  });
}
