import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dueEntries } from "../../lib/stores/lmdb-due";
import { LmdbFolder } from "../../lib/stores/lmdb-folder";
import { LmdbStore } from "../../lib/stores/lmdb-store";
import { bucketOf } from "../../lib/stores/tally-key";
import { indexFaults } from "../support/lmdb-index-check";
import { sessionRecord } from "../support/session-records";

const BUCKET_MS = 10 * 60_000;
const NOW = Date.now();
const DUE = 12_000;
const BUCKETS = 400;
const path = mkdtempSync(join(tmpdir(), "coatcheck-due-"));
let store: LmdbStore;
let due: Set<string>;

beforeAll(async () => {
  store = new LmdbStore({ path });
  // The first is due past the grace, the last are far in the past: more runs than are merged at once.
  const overdue = Array.from({ length: DUE }, (_, n) =>
    sessionRecord({ purgeAt: NOW - 2 * BUCKET_MS - (n % BUCKETS) * BUCKET_MS }),
  );
  const later = Array.from({ length: 500 }, (_, n) => sessionRecord({ purgeAt: NOW + n * BUCKET_MS }));
  due = new Set(overdue.map(({ id }) => id));
  await Promise.all([...overdue, ...later].map((record) => store.create(record)));
}, 300_000);

afterAll(async () => {
  await store.close();
  rmSync(path, { recursive: true });
});

it("hands out every due entry once, group by group in the order of the ids, and holds few", async () => {
  const folder = new LmdbFolder(path);
  const boundary = bucketOf(NOW);
  const groups = [...dueEntries(folder, folder.live, boundary)].filter((group) => group.length > 0);
  await folder.close();

  const whole = groups.filter(([first]) => first!.run.purgeBucket < boundary);
  const ids = whole.map((group) => group.map(({ id }) => id));
  const inPart = groups.filter((group) => !whole.includes(group)).flat();
  expect(new Set(ids.flat())).toEqual(due);
  expect(ids.flat()).toHaveLength(DUE);
  expect(inPart.filter(({ id }) => due.has(id))).toEqual([]);
  for (const group of ids) expect(group).toEqual([...group].sort());
  expect(Math.max(...ids.map((group) => group.length))).toBeLessThan(2_500);
  // Over 144 runs at a time: three passes through the ids, and within each of them groups never go back.
  const steps = ids.slice(1).filter((group, at) => (group[0] ?? "") < (ids[at]?.at(-1) ?? ""));
  expect(steps.length).toBeLessThanOrEqual(2);
});

it("P8: clears what is due in all buckets, tells how far it is, and leaves the rest with its indexes", async () => {
  const progress: number[] = [];
  expect(await store.clear(NOW, (cleared) => progress.push(cleared))).toBe(DUE);
  expect(progress.at(-1)).toBe(DUE);
  expect(progress).toEqual([...progress].sort((a, b) => a - b));
  expect(await store.clear(NOW)).toBe(0);
  let left = 0;
  for await (const record of store.find({ state: "live" })) left += due.has(record.id) ? DUE : 1;
  expect(left).toBe(500);
  expect(await indexFaults(path)).toEqual([]);
});
