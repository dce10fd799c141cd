import { LmdbCache } from "../../lib/stores/lmdb-cache";

const MIB = 1024 * 1024;

function versioned(version: number) {
  return { record: {}, version };
}

it("answers the record of the version that is asked for, and none of another version", () => {
  const cache = new LmdbCache();
  const [before, after] = [versioned(1), versioned(2)];
  cache.keep("a", before, 200);
  expect(cache.get("a", 1)).toBe(before);
  expect(cache.get("a", 2)).toBeUndefined();
  cache.keep("a", after, 200);
  expect(cache.get("a", 1)).toBeUndefined();
  expect(cache.get("a", 2)).toBe(after);
  expect(cache.get("b", 2)).toBeUndefined();
});

it("answers the record that was kept last, of whatever version", () => {
  const cache = new LmdbCache();
  const [before, after] = [versioned(1), versioned(2)];
  cache.keep("a", before, 200);
  cache.keep("a", after, 5 * MIB);
  cache.keep("b", before, 200);
  expect([cache.last("a"), cache.last("b"), cache.last("c")]).toEqual([after, before, undefined]);
});

it("answers no record for bytes that are too damaged to have a version", () => {
  const cache = new LmdbCache();
  cache.keep("a", versioned(1), 200);
  expect(cache.get("a", NaN)).toBeUndefined();
});

it("a record that was kept anew is not answered as it was before, however many are kept after it", () => {
  const cache = new LmdbCache();
  cache.keep("a", versioned(1), 5 * MIB);
  cache.keep("b", versioned(1), 200);
  cache.keep("a", versioned(2), 200);
  expect(cache.get("a", 1)).toBeUndefined();
  expect(cache.get("a", 2)).toBeDefined();
});

it("forgets the records that were kept longest ago, and keeps a few megabytes at least", () => {
  const cache = new LmdbCache();
  const ids = Array.from({ length: 100 }, (_, n) => `id ${n}`);
  for (const id of ids) cache.keep(id, versioned(1), MIB / 2);
  const kept = ids.filter((id) => cache.get(id, 1) !== undefined);
  expect(kept).toEqual(ids.slice(-kept.length));
  expect(kept.length).toBeGreaterThanOrEqual(8);
  expect(kept.length).toBeLessThanOrEqual(20);
});
