import { strict as assert } from "node:assert";
import { dictionary } from "../../record/session-record";
import { idOf, map, liveRecord, fullRecord, loaded, plain } from "./sample-records";
import type { ContractTests } from "./store-contract";

export function createContract({ describe, it }: ContractTests): void {
  describe("create and load", () => {
    it("gives back what was created, field by field", async (store) => {
      const record = fullRecord();
      await store.create(record);
      assert.deepEqual(plain(await store.load(record.id)), plain(record));
    });

    it("is undefined for an id that was never stored", async (store) => {
      assert.equal(await store.load(idOf("nobody")), undefined);
    });

    it("P2: refuses to create over a live record, and leaves that as it was", async (store) => {
      const record = liveRecord({ data: { a: "1" } });
      await store.create(record);
      await assert.rejects(store.create({ ...record, data: map({ a: "2" }) }), { code: "SESSION_EXISTS" });
      assert.equal((await loaded(store, record.id)).data.a, "1");
    });

    it("keeps limits that never come", async (store) => {
      const endless = { idleMs: Infinity, endsAt: Infinity, expiresAt: Infinity, purgeAt: Infinity };
      const record = liveRecord(endless);
      await store.create(record);
      const { idleMs, endsAt, expiresAt, purgeAt } = await loaded(store, record.id);
      assert.deepEqual({ idleMs, endsAt, expiresAt, purgeAt }, endless);
    });

    it("P9: takes any key, and touches no prototype", async (store) => {
      const keys = [
        "__proto__",
        "constructor",
        "toString",
        "",
        "__x__",
        "a.b",
        "`",
        "\\",
        "🍵",
        "\u0000",
        "é".repeat(512),
      ];
      const data = dictionary<string>();
      for (const [index, key] of keys.entries()) data[key] = String(index);
      const record = liveRecord({ data });
      await store.create(record);
      const { data: stored } = await loaded(store, record.id);
      assert.deepEqual(Object.keys(stored).sort(), [...keys].sort());
      for (const [index, key] of keys.entries()) assert.equal(stored[key], String(index));
      await store.update(record.id, {
        data: { set: map({ "": '"changed"', __x__: '"changed"' }), remove: ["\\", "🍵"] },
      });
      const changed = (await loaded(store, record.id)).data;
      assert.equal(changed[""], '"changed"');
      assert.equal(changed.__x__, '"changed"');
      assert.equal("🍵" in changed || "\\" in changed, false);
      assert.equal(Object.keys(changed).length, keys.length - 2);
      assert.equal(({} as Record<string, unknown>).polluted, undefined);
    });

    it("hands out memory that nobody overwrites", async (store) => {
      const first = liveRecord({
        data: map({ text: JSON.stringify("x".repeat(500)), bytes: new Uint8Array(500).fill(7) }),
      });
      await store.create(first);
      const held = await loaded(store, first.id);
      for (let i = 0; i < 20; i += 1) {
        const other = liveRecord({
          data: map({ text: JSON.stringify("y".repeat(500)), bytes: new Uint8Array(500).fill(9) }),
        });
        await store.create(other);
        await loaded(store, other.id);
      }
      assert.equal(held.data.text, first.data.text);
      assert.deepEqual(Buffer.from(held.data.bytes as Uint8Array), Buffer.alloc(500, 7));
    });
  });
}
