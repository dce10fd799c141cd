import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { SessionRecord } from "../../lib/record/session-record";
import { clearTable } from "../../lib/stores/lmdb-clearing";
import { dueEntries } from "../../lib/stores/lmdb-due";
import { LmdbFolder } from "../../lib/stores/lmdb-folder";
import { LmdbStore } from "../../lib/stores/lmdb-store";
import { compileScripts } from "../support/compiled-scripts";
import { indexFaults } from "../support/lmdb-index-check";
import { killed, sessionRecord } from "../support/session-records";

const HOUR = 3_600_000;
const NOW = Date.now();
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

async function total(counts: AsyncIterable<number>): Promise<number> {
  let sum = 0;
  for await (const count of counts) sum += count;
  return sum;
}

async function idsOf(query: { state: "live" | "ended"; owner?: string }): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id } of store.find(query)) ids.push(id);
  return ids;
}

const sortedIds = (records: SessionRecord[]) => records.map(({ id }) => id).sort();

it("clears in as many rounds as it takes, each record once", async () => {
  const { live } = await halfDue(700);
  const roundOfSome = 8 * 1024;
  expect(await total(clearTable(folder, folder.live, NOW, roundOfSome))).toBe(700);
  expect(await idsOf({ state: "live" })).toEqual(sortedIds(live));
  expect(await indexFaults(path)).toEqual([]);
});

describe("between the reading of the index and the deletion", () => {
  it("a session that was renewed stays, under its owner too", async () => {
    const { due } = await halfDue(20);
    const entries = [...dueEntries(folder, folder.live, NOW, "whole")].flat();
    const renewed = due.slice(0, 8);
    for (const { id } of renewed) await store.update(id, { expiresAt: NOW + HOUR, purgeAt: NOW + 2 * HOUR });
    await folder.live.removeOwners(entries);
    const answers = await folder.live.removeRecords(entries);
    expect(answers.filter(Boolean)).toHaveLength(12);
    for (const { id, owner } of renewed) {
      expect(store.load(id)).toBeDefined();
      expect(await idsOf({ state: "live", owner })).toContain(id);
    }
    expect(await indexFaults(path)).toEqual([]);
  });

  it("a session that is renewed when its owner's entry is gone already gets it back", async () => {
    const [record] = await created(1, { purgeAt: NOW - HOUR });
    const entries = [...dueEntries(folder, folder.live, NOW, "whole")].flat();
    await folder.live.removeOwners(entries);
    expect(await idsOf({ state: "live", owner: "user0" })).toEqual([]);
    await store.update(record!.id, { purgeAt: NOW + HOUR });
    expect(await folder.live.removeRecords(entries)).toEqual([false]);
    expect(await idsOf({ state: "live", owner: "user0" })).toEqual([record!.id]);
    expect(await indexFaults(path)).toEqual([]);
  });

  it("a session that was killed is not counted, and stays among the ended ones", async () => {
    const { due } = await halfDue(20);
    const entries = [...dueEntries(folder, folder.live, NOW, "whole")].flat();
    const ended = due.slice(0, 5);
    for (const { id } of ended) await store.end(id, killed());
    await folder.live.removeOwners(entries);
    const answers = await folder.live.removeRecords(entries);
    expect(answers.filter(Boolean)).toHaveLength(15);
    expect(await idsOf({ state: "ended" })).toEqual(sortedIds(ended));
    expect(await indexFaults(path)).toEqual([]);
  });

  it("a session that was cleared by another is not counted twice", async () => {
    await halfDue(20);
    const entries = [...dueEntries(folder, folder.live, NOW, "whole")].flat();
    const answers = await Promise.all([folder.live.removeRecords(entries), folder.live.removeRecords(entries)]);
    expect(answers.map((each) => each.filter(Boolean).length)).toEqual([20, 0]);
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
  const counts = await Promise.all([
    total(clearTable(folder, folder.live, NOW, 8 * 1024)),
    other.clear(NOW),
    store.clear(NOW),
  ]);
  const answers = await renewals;
  const left = touched.filter((_, n) => answers[n]);
  await other.close();
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(due.length - left.length);
  expect(await idsOf({ state: "live" })).toEqual(sortedIds([...live, ...left]));
  expect(await indexFaults(path)).toEqual([]);
});

it("what a clearing that was killed has left, without owners or with them, the next one clears", async () => {
  const { live } = await halfDue(3000);
  const entries = [...dueEntries(folder, folder.live, NOW, "whole")].flat();
  await folder.live.removeOwners(entries.slice(0, 100));
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

it("clears ended records in the same way", async () => {
  const records = await created(300);
  await Promise.all(
    records.map(({ id }, n) => store.end(id, { ...killed(), purgeAt: NOW + (n % 2 === 0 ? 1 : 9) * HOUR })),
  );
  expect(await total(clearTable(folder, folder.ended, NOW + 2 * HOUR, 8 * 1024))).toBe(150);
  expect(await idsOf({ state: "ended" })).toHaveLength(150);
  expect(await indexFaults(path)).toEqual([]);
});
