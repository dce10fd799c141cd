import type { MakeStore } from "../../lib/testing/store-contract/store-contract";
import { endingOf, fullRecord, liveRecord } from "../../lib/testing/store-contract/sample-records";
import { OWNER_HEADERS_AT_ONCE } from "../../lib/stores/store";
import type { FindQuery } from "../../lib/stores/store";

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

/** Tests that headers are read as they were when the query began; those of one owner, and with `all`, everyone's. */
export function readsHeadersOfOneMoment(makeStore: MakeStore, { all }: { readonly all: boolean }): void {
  const queries: [whose: string, query: Partial<FindQuery>, many: number][] = [
    ["an owner's", { owner: "alice" }, OWNER_HEADERS_AT_ONCE],
    ...(all ? [["everyone's", {}, 2 * OWNER_HEADERS_AT_ONCE] as [string, object, number]] : []),
  ];
  it.each(queries)("P2: finds a session that is replaced while it reads %s headers", async (_whose, query, many) => {
    const { store, dispose } = await makeStore(Date.now);
    const records = Array.from({ length: many }, () => liveRecord({ owner: "alice" }));
    await Promise.all(records.map((record) => store.create(record)));
    const ids = records.map(({ id }) => id).sort();
    const found: string[] = [];
    for await (const { id } of store.find({ state: "live", fields: "header", ...query })) {
      if (found.push(id) > 1) continue;
      const last = records.find((record) => record.id === ids.at(-1)) ?? liveRecord();
      let successor = liveRecord({ owner: "alice" });
      while (store.isPlacedWith?.(successor.id, last.id) === false) successor = liveRecord({ owner: "alice" });
      expect(await store.replace(last.id, endingOf(last, "reset"), successor)).toBe(true);
    }
    expect(found).toEqual(ids);
    await store.close();
    await dispose?.();
  });
}
