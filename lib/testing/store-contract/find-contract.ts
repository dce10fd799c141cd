import { strict as assert } from "node:assert";
import { GUEST_USER } from "../../record/session-record";
import type { SessionRecord } from "../../record/session-record";
import { endingOf, found, fullRecord, idOf, idsOf, liveRecord, plain } from "./sample-records";
import type { ContractTests } from "./store-contract";

/** What a header need not have. */
const WITHOUT_CONTENT = { data: null, attributes: null, keys: null };

export function findContract({ describe, it }: ContractTests): void {
  describe("find", () => {
    it("combines id, owner and project, live or ended", async (store) => {
      const records = [
        liveRecord({ owner: "alice", project: "shop" }),
        liveRecord({ owner: "alice", project: "forum" }),
        liveRecord({ owner: "bob", project: "shop" }),
        liveRecord({ owner: GUEST_USER, project: "shop" }),
      ];
      const [first, second, third, fourth] = records.map((record) => record.id);
      for (const record of records) await store.create(record);
      assert.deepEqual(await idsOf(store, { state: "live" }), [first, second, third, fourth].sort());
      assert.deepEqual(await idsOf(store, { state: "live", owner: "alice" }), [first, second].sort());
      assert.deepEqual(await idsOf(store, { state: "live", project: "shop" }), [first, third, fourth].sort());
      assert.deepEqual(await idsOf(store, { state: "live", owner: "alice", project: "forum" }), [second]);
      assert.deepEqual(await idsOf(store, { state: "live", id: third ?? "" }), [third]);
      assert.deepEqual(await idsOf(store, { state: "live", id: third ?? "", owner: "alice" }), []);
      assert.deepEqual(await idsOf(store, { state: "ended" }), []);
      await store.end(third ?? "", endingOf(liveRecord()));
      assert.deepEqual(await idsOf(store, { state: "live", owner: "bob" }), []);
      assert.deepEqual(await idsOf(store, { state: "ended", owner: "bob" }), [third]);
      assert.deepEqual(await idsOf(store, { state: "ended", id: third ?? "", project: "shop" }), [third]);
      assert.deepEqual(await idsOf(store, { state: "ended", owner: "bob", project: "forum" }), []);
    });

    it("keeps owners apart that are alike", async (store) => {
      const owners = ["a", "a\u0000", "a\u0000b", "A", "ä", "a ".trimEnd() + " ", "\u{1F375}", "x".repeat(1024)];
      const byOwner = new Map<string, string>();
      for (const owner of owners) {
        const record = liveRecord({ owner });
        byOwner.set(owner, record.id);
        await store.create(record);
      }
      for (const [owner, id] of byOwner) assert.deepEqual(await idsOf(store, { state: "live", owner }), [id]);
    });

    it("finds live records with all that a header has, where only headers are wanted", async (store) => {
      const record = fullRecord();
      await store.create(record);
      for (const query of [{}, { id: record.id }, { owner: record.owner, project: record.project }]) {
        const headers = [];
        for await (const header of store.find({ state: "live", fields: "header", ...query })) headers.push(header);
        // A store may ignore that only headers are wanted, and need not have read more.
        assert.deepEqual(plain({ ...headers[0], ...WITHOUT_CONTENT }), plain({ ...record, ...WITHOUT_CONTENT }));
        assert.equal(headers.length, 1);
      }
      assert.deepEqual(plain(await store.load(record.id)), plain(record));
      await store.end(record.id, endingOf(record));
      const ended = await found(store, { state: "ended", fields: "header", owner: record.owner });
      assert.deepEqual(ended, [record.id]);
    });

    it("streams more records than fit in one page, and may be left early", async (store) => {
      const records = Array.from({ length: 700 }, () => liveRecord({ owner: "many" }));
      for (let start = 0; start < records.length; start += 50) {
        await Promise.all(records.slice(start, start + 50).map((record) => store.create(record)));
      }
      assert.deepEqual(await idsOf(store, { state: "live", owner: "many" }), records.map((record) => record.id).sort());
      for await (const record of store.find({ state: "live" })) {
        assert.equal(record.owner, "many");
        break;
      }
    });

    it("goes on while what it finds is ended", async (store) => {
      const records = Array.from({ length: 30 }, () => liveRecord({ owner: "alice" }));
      await Promise.all(records.map((record) => store.create(record)));
      let ended = 0;
      for await (const record of store.find({ state: "live", owner: "alice" })) {
        if (await store.end(record.id, endingOf(record as SessionRecord))) ended += 1;
      }
      assert.equal(ended, 30);
      assert.deepEqual(await idsOf(store, { state: "live", owner: "alice" }), []);
    });
  });

  describe("find in pages", () => {
    const LETTERS = "-0AZ_az".split("");

    it("streams in the order of the ids' bytes, and from after an id on", async (store) => {
      const inOrder = LETTERS.map((letter) => letter + idOf(letter).slice(1));
      for (const id of [...inOrder].reverse()) await store.create(liveRecord({ id, owner: "alice" }));
      for (const owner of [{}, { owner: "alice" }]) {
        assert.deepEqual(await found(store, { state: "live", ...owner }), inOrder);
        for (const [index, after] of inOrder.entries()) {
          assert.deepEqual(
            await found(store, { state: "live", ...owner, after, limit: 2 }),
            inOrder.slice(index + 1),
            `after ${after}`,
          );
        }
      }
      const [first = "", second = ""] = inOrder;
      assert.deepEqual(await found(store, { state: "live", id: second, after: first }), [second]);
      assert.deepEqual(await found(store, { state: "live", id: first, after: first }), []);
      assert.deepEqual(await found(store, { state: "ended", after: first }), []);
      for (const id of inOrder) await store.end(id, endingOf(liveRecord()));
      assert.deepEqual(await found(store, { state: "ended", owner: "alice", after: first }), inOrder.slice(1));
    });

    it("finds by scope, alone and with the others, from after an id on", async (store) => {
      const records = Array.from({ length: 12 }, (_, n) =>
        liveRecord({
          owner: n % 2 === 0 ? "alice" : "bob",
          project: n % 3 === 0 ? "shop" : "forum",
          scope: n % 4 === 0 ? "ios" : "browser",
        }),
      ).sort((a, b) => (a.id < b.id ? -1 : 1));
      for (const record of records) await store.create(record);
      for (const fields of [
        { scope: "ios" },
        { scope: "ios", owner: "alice" },
        { scope: "browser", project: "shop", owner: "bob" },
        { scope: "android" },
      ]) {
        const matching = records.filter((record) =>
          Object.entries(fields).every(([name, value]) => record[name as "owner"] === value),
        );
        const ids = matching.map(({ id }) => id);
        assert.deepEqual(await found(store, { state: "live", ...fields }), ids);
        const [after] = ids;
        if (after === undefined) continue;
        assert.deepEqual(await found(store, { state: "live", ...fields, after }), ids.slice(1));
      }
    });

    it("gives no record that does not match, unless it is asked to tell how far it is", async (store) => {
      const records = Array.from({ length: 40 }, (_, n) => liveRecord({ project: n === 0 ? "shop" : "forum" }));
      for (const record of records) await store.create(record);
      assert.deepEqual(await found(store, { state: "live", project: "shop" }), [records[0]?.id]);
      const told = await found(store, { state: "live", project: "shop", progressEvery: 10 });
      assert.ok(told.includes(records[0]?.id ?? "") && told.length <= 5, `told of ${told.length}`);
      assert.deepEqual(told, [...told].sort());
    });
  });
}
