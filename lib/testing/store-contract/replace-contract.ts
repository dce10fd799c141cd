import { strict as assert } from "node:assert";
import { liveRecord, endingOf, endedOf, found, idsOf, plain, replaced } from "./sample-records";
import type { ContractTests } from "./store-contract";

/** How many queries look for a session that is replaced all the time. */
const QUERIES = 40;

/** How many sessions of one owner a query for headers must see as of one moment. */
const OWNER_RECORDS = 250;

export function replaceContract({ describe, it }: ContractTests): void {
  describe("replace", () => {
    it("ends the old record and creates the new one", async (store) => {
      const old = liveRecord();
      const successor = liveRecord({ owner: "alice" });
      await store.create(old);
      assert.equal(await store.replace(old.id, endingOf(old, "login"), successor), true);
      assert.equal(await store.load(old.id), undefined);
      assert.deepEqual(plain(await store.load(successor.id)), plain(successor));
      assert.equal((await endedOf(store, old.id))?.reason, "login");
    });

    it("P2: is false where the old record is not live, and creates nothing", async (store) => {
      const old = liveRecord();
      const successor = liveRecord();
      assert.equal(await store.replace(old.id, endingOf(old, "reset"), successor), false);
      await store.create(old);
      await store.end(old.id, endingOf(old));
      assert.equal(await store.replace(old.id, endingOf(old, "reset"), successor), false);
      assert.equal(await store.load(successor.id), undefined);
      assert.equal((await endedOf(store, old.id))?.reason, "killed");
    });

    it("P2: lets one of many parallel replaces through", async (store) => {
      const old = liveRecord();
      await store.create(old);
      const successors = Array.from({ length: 5 }, () => liveRecord());
      const won = await Promise.all(successors.map((record) => store.replace(old.id, endingOf(old, "reset"), record)));
      assert.equal(won.filter(Boolean).length, 1);
      assert.deepEqual(await idsOf(store, { state: "live" }), [successors[won.indexOf(true)]?.id]);
    });

    it("P2: hides no session from a query that runs meanwhile", async (store) => {
      let live = liveRecord({ owner: "alice" });
      await store.create(live);
      let isOver = false;
      const replacing = async () => {
        while (!isOver) {
          live = await replaced(store, live);
        }
      };
      const querying = async () => {
        try {
          for (const query of Array.from({ length: QUERIES }, (_, n) => (n % 2 === 0 ? {} : { owner: "alice" }))) {
            const ids = await found(store, { state: "live", fields: "header", ...query });
            assert.notEqual(ids.length, 0);
          }
        } finally {
          isOver = true;
        }
      };
      await Promise.all([replacing(), querying()]);
    });

    it("P2: hides no session of an owner who has many from a query that has begun", async (store) => {
      const records = Array.from({ length: OWNER_RECORDS }, () => liveRecord({ owner: "alice" }));
      await Promise.all(records.map((record) => store.create(record)));
      const last = records.reduce((a, b) => (a.id > b.id ? a : b));
      const ids: string[] = [];
      let successor = "";
      for await (const { id } of store.find({ state: "live", fields: "header", owner: "alice" })) {
        if (ids.push(id) === 1) successor = (await replaced(store, last)).id;
      }
      assert.equal(ids.includes(last.id) || ids.includes(successor), true);
    });
  });
}
