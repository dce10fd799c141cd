import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn, setTimeout as delay } from "node:timers/promises";
import type { SessionRecord } from "../../lib/record/session-record";
import { CLEAR_GRACE_MS } from "../../lib/record/expiry";
import { clearTable } from "../../lib/stores/lmdb-clearing";
import { dueEntries } from "../../lib/stores/lmdb-due";
import { LmdbFolder } from "../../lib/stores/lmdb-folder";
import { bucketOfOwnerKey } from "../../lib/stores/lmdb-owner-key";
import { LmdbStore } from "../../lib/stores/lmdb-store";
import { LmdbTable } from "../../lib/stores/lmdb-table";
import type { TimeEntry } from "../../lib/stores/lmdb-table";
import type { FindQuery } from "../../lib/stores/store";
import { bucketOf } from "../../lib/stores/tally-key";
import { compileScripts } from "../support/compiled-scripts";
import { indexFaults } from "../support/lmdb-index-check";
import { killed, sessionRecord } from "../support/session-records";

const HOUR = 3_600_000;
const NOW = Date.now();
const BOUNDARY = bucketOf(NOW - CLEAR_GRACE_MS);
const scripts = compileScripts(["lib/errors.ts", "lib/record", "lib/stores", "test/support"]);
let path: string;
let folder: LmdbFolder;
let store: LmdbStore;

beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), "coatcheck-clearing-"));
  folder = new LmdbFolder(path);
  store = new LmdbStore({ path });
});

afterEach(async () => {
  await store.close();
  await folder.close();
  rmSync(path, { recursive: true });
});

afterAll(() => scripts.dispose());

async function created(count: number, fields: Partial<SessionRecord> = {}): Promise<SessionRecord[]> {
  const records = Array.from({ length: count }, (_, n) => sessionRecord({ owner: `user${n % 7}`, ...fields }));
  await Promise.all(records.map((record) => store.create(record)));
  return records;
}

/** Sessions that were over for an hour, and some that are not over for another. */
async function halfDue(count: number) {
  const due = await created(count, { expiresAt: NOW - 2 * HOUR, purgeAt: NOW - HOUR });
  return { due, live: await created(count) };
}

/** What the index says is due. */
function dueNow() {
  return [...dueEntries(folder, folder.live, BOUNDARY)].flat();
}

/** What the index of owners says is due. */
function dueOwners() {
  return folder.live.ownerKeys("", 100_000).filter((key) => bucketOfOwnerKey(key) < BOUNDARY);
}

/** Answers how many were still there. */
function removeAll(entries: TimeEntry[]): Promise<number> {
  return folder.together(() => folder.live.removeFromRuns(entries, false));
}

function removeOwners(keys: string[]): Promise<void> {
  return folder.together(() => folder.live.removeOwnerKeys(keys));
}

/** How many deletions a transaction had at the most, and how many records a whole clearing deleted. */
async function clearedAtOnce(): Promise<{ most: number; cleared: number }> {
  const removals = jest.spyOn(LmdbTable.prototype, "removeFromRuns");
  const cleared = await total(clearTable(folder, folder.live, NOW));
  const most = Math.max(...removals.mock.calls.map(([entries]) => entries.length));
  jest.restoreAllMocks();
  return { most, cleared };
}

async function total(counts: AsyncIterable<number>): Promise<number> {
  let sum = 0;
  for await (const count of counts) sum += count;
  return sum;
}

async function idsOf(query: FindQuery): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id } of store.find(query)) ids.push(id);
  return ids;
}

const sortedIds = (records: SessionRecord[]) => records.map(({ id }) => id).sort();

it.each([
  ["much is due, by a sweep of the index of owners afterwards", "A", true],
  ["little is due, with each record its entry there", "B", false],
])("where %s", async (_, sampled, isSwept) => {
  const due = Array.from({ length: 300 }, (_each, n) =>
    sessionRecord({
      id: sampled + sessionRecord().id.slice(1),
      owner: `user${n % 7}`,
      purgeAt: NOW - HOUR - n * 60_000,
    }),
  );
  await Promise.all(due.map((record) => store.create(record)));
  const live = await created(300);
  const sweeping = jest.spyOn(LmdbTable.prototype, "removeOwnerKeys");
  expect(await total(clearTable(folder, folder.live, NOW))).toBe(300);
  expect(sweeping.mock.calls.length > 0).toBe(isSwept);
  sweeping.mockRestore();
  expect(await idsOf({ state: "live" })).toEqual(sortedIds(live));
  expect(await indexFaults(path)).toEqual([]);
});

it("deletes few at once, however much is due, where others use the folder", async () => {
  await halfDue(4000);
  jest.spyOn(performance, "now").mockReturnValue(1000);
  expect(await clearedAtOnce()).toEqual({ most: 125, cleared: 4000 });
});

it("where nobody uses the folder, deletes many at once", async () => {
  const { live } = await halfDue(10_000);
  let clock = 0;
  jest.spyOn(performance, "now").mockImplementation(() => (clock += 1000));
  expect(await clearedAtOnce()).toEqual({ most: 4000, cleared: 10_000 });
  expect(await idsOf({ state: "live" })).toEqual(sortedIds(live));
  expect(await indexFaults(path)).toEqual([]);
});

describe("between the reading of the index and the deletion", () => {
  it("P2: a session that was renewed stays, under its owner too, for a kill to find", async () => {
    const { due } = await halfDue(20);
    const [entries, owners] = [dueNow(), dueOwners()];
    const renewed = due.slice(0, 8);
    for (const { id } of renewed) await store.update(id, { expiresAt: NOW + HOUR, purgeAt: NOW + 2 * HOUR });
    await removeOwners(owners);
    expect(await removeAll(entries)).toBe(12);
    for (const { id, owner } of renewed) {
      expect(store.load(id)).toBeDefined();
      expect(await idsOf({ state: "live", owner })).toContain(id);
    }
    expect(await indexFaults(path)).toEqual([]);
  });

  it("P2: a session that is renewed when its owner's entry is gone already gets it back", async () => {
    const [record] = await created(1, { purgeAt: NOW - HOUR });
    const [entries, owners] = [dueNow(), dueOwners()];
    await removeOwners(owners);
    expect(await idsOf({ state: "live", owner: "user0" })).toEqual([]);
    await store.update(record!.id, { purgeAt: NOW + HOUR });
    expect(await removeAll(entries)).toBe(0);
    expect(await idsOf({ state: "live", owner: "user0" })).toEqual([record!.id]);
    expect(await indexFaults(path)).toEqual([]);
  });

  it.each([false, true])(
    "a session that has got another owner is deleted, and the next clearing finds its entry there (with that of the owner it had: %s)",
    async (alsoFromOwners) => {
      const { live } = await halfDue(5);
      const [record] = await created(1, { purgeAt: NOW - HOUR });
      const entries = dueNow().filter(({ id }) => id === record!.id);
      await store.update(record!.id, { owner: "someone else" });
      await folder.together(() => folder.live.removeFromRuns(entries, alsoFromOwners));
      expect(store.load(record!.id)).toBeUndefined();
      expect(await idsOf({ state: "live", owner: "someone else" })).toEqual([]);
      expect(await store.clear(NOW)).toBe(5);
      expect(await idsOf({ state: "live" })).toEqual(sortedIds(live));
      expect(await indexFaults(path)).toEqual([]);
    },
  );

  it("a session that was killed is not counted, and stays among the ended ones", async () => {
    const { due } = await halfDue(20);
    const [entries, owners] = [dueNow(), dueOwners()];
    const ended = due.slice(0, 5);
    for (const { id } of ended) await store.end(id, killed());
    await removeOwners(owners);
    expect(await removeAll(entries)).toBe(15);
    expect(await idsOf({ state: "ended" })).toEqual(sortedIds(ended));
    expect(await indexFaults(path)).toEqual([]);
  });

  it("a session that was cleared by another is not counted twice", async () => {
    await halfDue(20);
    const entries = dueNow();
    expect(await Promise.all([removeAll(entries), removeAll(entries)])).toEqual([20, 0]);
  });
});

it("two clearings and a server that renews at the same time: each session is cleared by one, or renewed", async () => {
  const { due, live } = await halfDue(1500);
  const touched = due.filter((_, n) => n % 3 === 0);
  const renewals = Promise.all(
    touched.map(async ({ id }, n) => {
      await delay(n % 50);
      return store.update(id, { expiresAt: NOW + HOUR, purgeAt: NOW + 2 * HOUR });
    }),
  );
  const other = new LmdbStore({ path });
  const counts = await Promise.all([total(clearTable(folder, folder.live, NOW)), other.clear(NOW), store.clear(NOW)]);
  const answers = await renewals;
  const left = touched.filter((_, n) => answers[n]);
  await other.close();
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(due.length - left.length);
  expect(await idsOf({ state: "live" })).toEqual(sortedIds([...live, ...left]));
  expect(await indexFaults(path)).toEqual([]);
});

it("what a clearing that was killed has left, without owners or with them, the next one clears", async () => {
  const { live } = await halfDue(3000);
  await removeOwners(dueOwners().slice(0, 100));
  const clearer = fork(scripts.path("test/support/lmdb-caller.ts"), [path], { env: scripts.env, execArgv: [] });
  await once(clearer, "message");
  clearer.send({ method: "clear", calls: [[NOW]] });
  await delay(15);
  clearer.kill("SIGKILL");
  await once(clearer, "close");
  const left = (await idsOf({ state: "live" })).length - live.length;
  expect(await store.clear(NOW)).toBe(left);
  expect(await idsOf({ state: "live" })).toEqual(sortedIds(live));
  expect(await indexFaults(path)).toEqual([]);
});

it("goes on where a transaction fails once, whether it was written or not", async () => {
  const { live } = await halfDue(1_000);
  const together = folder.together.bind(folder);
  const tried = new Set<unknown>();
  let failed = 0;
  jest.spyOn(folder, "together").mockImplementation(async (deletions) => {
    if (tried.has(deletions)) return together(deletions);
    tried.add(deletions);
    failed += 1;
    if (tried.size % 2 === 0) throw new Error("Nothing was written");
    await together(deletions);
    throw new Error("The disk failed after the commit");
  });
  expect(await total(clearTable(folder, folder.live, NOW))).toBeLessThan(1_000);
  expect(failed).toBeGreaterThan(3);
  expect(folder.read(() => folder.live.size)).toBe(live.length);
  expect(dueNow()).toEqual([]);
  expect(await indexFaults(path)).toEqual([]);
});

it("ends where a transaction fails twice", async () => {
  await halfDue(10);
  jest.spyOn(folder, "together").mockRejectedValue(new Error("The disk is full"));
  await expect(clearTable(folder, folder.live, NOW).next()).rejects.toThrow("The disk is full");
});

it("P7: another store opens the folder at any moment of a clearing, and closes it", async () => {
  await halfDue(2000);
  const cleared = total(clearTable(folder, folder.live, NOW));
  const state = { clearing: true };
  const done = cleared.finally(() => (state.clearing = false));
  for (let turn = 0; state.clearing; turn += 1) {
    const other = new LmdbStore({ path });
    await other.create(sessionRecord());
    await other.close();
    await (turn % 2 === 0 ? nextTurn() : delay(1));
  }
  expect(await done).toBe(2000);
  expect(await indexFaults(path)).toEqual([]);
});

it("where a clearing ended before the sweep of the owners, nobody is found by their entries, and the next one removes them", async () => {
  const { due, live } = await halfDue(200);
  await removeAll(dueNow());
  expect(folder.read(() => folder.live.ownersLeft)).toBe(200);
  for (const owner of new Set(due.map((record) => record.owner))) {
    const alive = live.filter((record) => record.owner === owner);
    expect(await idsOf({ state: "live", owner })).toEqual(sortedIds(alive));
  }
  expect(await store.clear(NOW)).toBe(0);
  expect(folder.read(() => folder.live.ownersLeft)).toBe(0);
  expect(await indexFaults(path)).toEqual([]);
});

it("sessions that are made again, when clearings have left their owner's entries behind, are found once each, by any page, and then swept of them", async () => {
  const first = await created(250, { owner: "anna", purgeAt: NOW - HOUR });
  await removeAll(dueNow());
  for (const record of first.slice(0, 170)) await store.create({ ...record, purgeAt: NOW - 2 * HOUR });
  await removeAll(dueNow());
  const again = first
    .filter((_, n) => n % 3 !== 0)
    .map((record): SessionRecord => ({ ...record, purgeAt: NOW + HOUR }));
  for (const record of again) await store.create(record);
  expect(folder.read(() => folder.live.ownersLeft)).toBe(250 + 170);
  expect(await idsOf({ state: "live", owner: "anna" })).toEqual(sortedIds(again));
  const last = sortedIds(again)[9];
  expect(folder.read(() => folder.live.idsOfOwner("anna", last, 3))).not.toContain(last);
  for (const limit of [1, 2, 3, 50]) {
    const paged: string[] = [];
    for (let page: string[] = []; ; paged.push(...page)) {
      page = (await idsOf({ state: "live", owner: "anna", after: paged.at(-1) ?? "", limit })).slice(0, limit);
      if (page.length === 0) break;
    }
    expect(paged).toEqual(sortedIds(again));
  }
  expect(await store.clear(NOW)).toBe(0);
  expect(await idsOf({ state: "live", owner: "anna" })).toEqual(sortedIds(again));
  expect(await indexFaults(path)).toEqual([]);
});

it("where a deletion fails in the middle of a transaction, what is left of it is due again", async () => {
  const { live } = await halfDue(300);
  const remove = folder.live.records.removeSync.bind(folder.live.records);
  let calls = 0;
  const removing = jest.spyOn(folder.live.records, "removeSync").mockImplementation((id) => {
    if ((calls += 1) === 100) throw new Error("Once");
    return remove(id);
  });
  expect(await total(clearTable(folder, folder.live, NOW))).toBeLessThan(300);
  removing.mockRestore();
  expect(calls).toBeGreaterThan(300);
  expect(await idsOf({ state: "live" })).toEqual(sortedIds(live));
  expect(await indexFaults(path)).toEqual([]);
});

it("clears ended records in the same way", async () => {
  const records = await created(300);
  await Promise.all(
    records.map(({ id }, n) => store.end(id, { ...killed(), purgeAt: NOW + (n % 2 === 0 ? 1 : 9) * HOUR })),
  );
  expect(await total(clearTable(folder, folder.ended, NOW + 2 * HOUR))).toBe(150);
  expect(await idsOf({ state: "ended" })).toHaveLength(150);
  expect(await indexFaults(path)).toEqual([]);
});
