import type { MakeStore } from "../../lib/testing/store-contract/store-contract";
import { endingOf, fullRecord, liveRecord } from "../../lib/testing/store-contract/sample-records";

/** More than a store of ours reads at once. */
const MANY = 500;

/**
 * Tests that a store of ours leaves out of a header what may be large; another's may ignore that no more than the
 * header is wanted.
 */
export function readsHeadersAlone(makeStore: MakeStore): void {
  it("reads no data, attributes and keys where only headers are wanted", async () => {
    const { store, dispose } = await makeStore(Date.now);
    const record = fullRecord();
    await store.create(record);
    for (const query of [{}, { id: record.id }, { owner: record.owner }]) {
      for await (const found of store.find({ state: "live", fields: "header", ...query })) {
        expect(found).toEqual({ ...record, data: {}, attributes: {}, keys: {} });
      }
    }
    expect(await store.load(record.id)).toMatchObject({ keys: record.keys });
    await store.close();
    await dispose?.();
  });
}

/** Tests that everyone's headers are read as they were when the query began, and not only those of one page. */
export function readsHeadersOfOneMoment(makeStore: MakeStore): void {
  it("P2: finds a session that is replaced while it reads everyone's headers", async () => {
    const { store, dispose } = await makeStore(Date.now);
    const records = Array.from({ length: MANY }, () => liveRecord());
    await Promise.all(records.map((record) => store.create(record)));
    const last = records.reduce((a, b) => (a.id > b.id ? a : b));
    const ids: string[] = [];
    for await (const { id } of store.find({ state: "live", fields: "header" })) {
      if (ids.push(id) === 1) expect(await store.replace(last.id, endingOf(last, "reset"), liveRecord())).toBe(true);
    }
    expect(ids).toEqual(records.map(({ id }) => id).sort());
    await store.close();
    await dispose?.();
  });
}
