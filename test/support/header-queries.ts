import type { MakeStore } from "../../lib/testing/store-contract/store-contract";
import { fullRecord } from "../../lib/testing/store-contract/sample-records";

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
