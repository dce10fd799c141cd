import type { AttributeRecord } from "../../../lib/record/session-record";
import { GuardedStore, mayUpdateUnread } from "../../../lib/stores/guard/guarded-store";
import { MemoryStore } from "../../../lib/stores/memory-store";
import { sessionRecord } from "../../support/session-records";

const TIMEOUT_MS = 5_000;

const attribute = (expiresAt: number): AttributeRecord => ({
  ...{ value: "1", encrypted: false, createdAt: 0, modifiedAt: 0, expiresAt },
});

describe("a write", () => {
  it("P2, P8: may leave the record unread until twice the time limit before its end", () => {
    const record = { expiresAt: 100_000, attributes: {} };
    expect(mayUpdateUnread(record, 89_999, TIMEOUT_MS)).toBe(true);
    expect(mayUpdateUnread(record, 90_000, TIMEOUT_MS)).toBe(false);
  });

  it("may not leave a record unread of which an attribute has expired", () => {
    const record = { expiresAt: 100_000, attributes: { card: attribute(1_000) } };
    expect(mayUpdateUnread(record, 999, TIMEOUT_MS)).toBe(true);
    expect(mayUpdateUnread(record, 1_000, TIMEOUT_MS)).toBe(false);
  });

  it.each([
    ["update", "far from the record's end", -11_000],
    ["mutate", "near it", -9_000],
  ])("P2, P8: is an %s %s", async (expected, _where, before) => {
    const record = sessionRecord();
    const asked: string[] = [];
    class Asked extends MemoryStore {
      override async update(...args: Parameters<MemoryStore["update"]>) {
        asked.push("update");
        return super.update(...args);
      }
      override async mutate(...args: Parameters<MemoryStore["mutate"]>) {
        asked.push("mutate");
        return super.mutate(...args);
      }
    }
    const now = () => record.expiresAt + before;
    const store = new GuardedStore(new Asked({ now }), { timeoutMs: TIMEOUT_MS, now });
    await store.create(record);
    await expect(store.write(record, { data: { set: { a: "1" }, remove: [] } })).resolves.toBe(true);
    expect(asked).toEqual([expected]);
    expect(await store.load(record.id)).toMatchObject({ data: { a: "1" } });
  });

  it("P8: removes the attributes that have expired with what else it writes", async () => {
    const now = Date.now();
    const attributes = { gone: attribute(now - 1), here: attribute(now + 60_000) };
    const record = sessionRecord({ attributes });
    const inner = new MemoryStore();
    const store = new GuardedStore(inner, { timeoutMs: TIMEOUT_MS, now: () => now });
    await store.create(record);
    await store.write(record, { data: { set: { a: "1" }, remove: [] } });
    expect(Object.keys((await inner.load(record.id))?.attributes ?? {})).toEqual(["here"]);
  });

  it("fails with what the app threw while the record was changed, not with an error of the store", async () => {
    const record = sessionRecord();
    const store = new GuardedStore(new MemoryStore(), { timeoutMs: TIMEOUT_MS, now: Date.now });
    await store.create(record);
    const own = new Error("from the app");
    const change = () => {
      throw own;
    };
    await expect(store.mutate(record.id, change)).rejects.toBe(own);
  });
});
