import { RecordCache } from "../../../lib/stores/sqlite/tables/live-table";

const MIB = 1024 * 1024;

it("returns what was kept last of an id", () => {
  const cache = new RecordCache<string>();
  cache.keep("a", "first", 200);
  expect([cache.get("a"), cache.get("b")]).toEqual(["first", undefined]);
  cache.keep("a", "second", 200);
  expect(cache.get("a")).toBe("second");
});

it("does not return what was kept before it, however many are kept after it", () => {
  const cache = new RecordCache<string>();
  cache.keep("a", "first", 5 * MIB);
  cache.keep("b", "other", 200);
  cache.keep("a", "second", 200);
  expect(cache.get("a")).toBe("second");
  cache.keep("c", "other", 5 * MIB);
  cache.keep("d", "other", 200);
  expect([undefined, "second"]).toContain(cache.get("a"));
});

it("forgets a record, whichever generation it is in", () => {
  const cache = new RecordCache<string>();
  cache.keep("a", "old", 5 * MIB);
  cache.keep("b", "young", 200);
  cache.keep("a", "young", 200);
  for (const id of ["a", "b"]) cache.forget(id);
  expect([cache.get("a"), cache.get("b")]).toEqual([undefined, undefined]);
});

it("is empty once it was cleared", () => {
  const cache = new RecordCache<string>();
  cache.keep("a", "old", 5 * MIB);
  cache.keep("b", "young", 200);
  cache.clear();
  expect([cache.get("a"), cache.get("b")]).toEqual([undefined, undefined]);
});

it("forgets the records that were kept longest ago, and keeps a few megabytes at least", () => {
  const cache = new RecordCache<number>();
  const ids = Array.from({ length: 100 }, (_, n) => `id ${n}`);
  for (const [n, id] of ids.entries()) cache.keep(id, n, MIB / 2);
  const kept = ids.filter((id) => cache.get(id) !== undefined);
  expect(kept).toEqual(ids.slice(-kept.length));
  expect(kept.length).toBeGreaterThanOrEqual(8);
  expect(kept.length).toBeLessThanOrEqual(20);
});
