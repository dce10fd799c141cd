import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn, setTimeout as delay } from "node:timers/promises";
import type { SessionRecord } from "../../../lib/record/session-record";
import { SqliteStore } from "../../../lib/stores/sqlite/sqlite-store";
import type { FindQuery } from "../../../lib/stores/store";
import { compileScripts } from "../../support/compiled-scripts";
import { killed, sessionRecord } from "../../support/session-records";
import { faultsOf } from "../../support/sqlite-checks";

const HOUR = 3_600_000;
const NOW = Date.now();
const RENEWED = { expiresAt: NOW + HOUR, purgeAt: NOW + 2 * HOUR };
const OVER = { expiresAt: NOW - 2 * HOUR, purgeAt: NOW - HOUR };
const scripts = compileScripts(["lib", "test/support"]);
let path: string;
let store: SqliteStore;

beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), "coatcheck-clearing-"));
  store = new SqliteStore({ path });
});

afterEach(async () => {
  await store.close();
  expect(faultsOf(path)).toEqual([]);
  rmSync(path, { recursive: true });
});

afterAll(() => scripts.dispose());

async function created(count: number, fields: Partial<SessionRecord> = {}): Promise<SessionRecord[]> {
  const records = Array.from({ length: count }, (_, n) => sessionRecord({ owner: `user${n % 7}`, ...fields }));
  await Promise.all(records.map((record) => store.create(record)));
  return records;
}

/** Sessions that have been over for an hour, and some that last for another hour. */
async function halfDue(count: number) {
  return { due: await created(count, OVER), live: await created(count) };
}

async function idsOf(query: FindQuery, from = store): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id } of from.find(query)) ids.push(id);
  return ids;
}

const sortedIds = (records: SessionRecord[]) => records.map(({ id }) => id).sort();

it("deletes what is due, for every owner, and nothing else", async () => {
  const { due, live } = await halfDue(2000);
  await store.load(due[0]!.id);
  expect(await store.clear(NOW)).toBe(2000);
  expect(await store.load(due[0]!.id)).toBeUndefined();
  expect(await idsOf({ state: "live" })).toEqual(sortedIds(live));
  for (const owner of new Set(due.map((record) => record.owner))) {
    expect(await idsOf({ state: "live", owner })).toEqual(sortedIds(live.filter((record) => record.owner === owner)));
  }
  expect(await store.clear(NOW)).toBe(0);
});

it("clears ended records in the same way", async () => {
  const records = await created(300);
  await Promise.all(
    records.map(({ id }, n) => store.end(id, { ...killed(), purgeAt: NOW + (n % 2 === 0 ? 1 : 9) * HOUR })),
  );
  expect(await store.clear(NOW + 2 * HOUR)).toBe(150);
  expect(await idsOf({ state: "ended" })).toHaveLength(150);
});

it("lets this process and others write between its transactions, and goes on", async () => {
  await halfDue(6000);
  const [mine, theirs] = await created(2);
  const other = new SqliteStore({ path });
  const state = { isClearing: true };
  const cleared = store.clear(NOW).finally(() => (state.isClearing = false));
  const written = [0, 0];
  const writing = [[store, mine!.id] as const, [other, theirs!.id] as const].map(async ([writer, id], at) => {
    while (state.isClearing) {
      expect(await writer.update(id, { counters: { n: 1 } })).toBe(true);
      written[at]! += 1;
    }
  });
  expect(await cleared).toBe(6000);
  await Promise.all(writing);
  for (const count of written) expect(count).toBeGreaterThan(1);
  await other.close();
});

describe("a session that is due, while a clearing is under way", () => {
  /** Clears, and calls `meanwhile` once after the first transaction. */
  async function clearAnd(meanwhile: () => void): Promise<number> {
    let isFirst = true;
    return store.clear(NOW, () => {
      if (isFirst) meanwhile();
      isFirst = false;
    });
  }

  it("P2: stays once it was renewed, and is found by its owner, for a kill", async () => {
    const { due, live } = await halfDue(1500);
    let renewals: Promise<boolean>[] = [];
    const cleared = await clearAnd(() => (renewals = due.map(({ id }) => store.update(id, RENEWED))));
    const wereThere = await Promise.all(renewals);
    const renewed = due.filter((_, n) => wereThere[n]);
    expect(renewed.length).toBeGreaterThan(0);
    expect(renewed.length).toBeLessThan(due.length);
    expect(cleared).toBe(due.length - renewed.length);
    expect(await idsOf({ state: "live" })).toEqual(sortedIds([...live, ...renewed]));
    const { owner } = renewed[0]!;
    const owned = [...live, ...renewed].filter((record) => record.owner === owner);
    expect(await idsOf({ state: "live", owner })).toEqual(sortedIds(owned));
  });

  it("is not counted where it was killed, and stays among the ended ones", async () => {
    const { due, live } = await halfDue(1500);
    let ends: Promise<boolean>[] = [];
    const cleared = await clearAnd(() => (ends = due.map(({ id }) => store.end(id, killed()))));
    const wereThere = await Promise.all(ends);
    const ended = due.filter((_, n) => wereThere[n]);
    expect(ended.length).toBeGreaterThan(0);
    expect(cleared).toBe(due.length - ended.length);
    expect(await idsOf({ state: "ended" })).toEqual(sortedIds(ended));
    expect(await idsOf({ state: "live" })).toEqual(sortedIds(live));
  });
});

it("P2: a session that became due in the turn in which it was cleared is gone, also for the store that wrote it", async () => {
  const [record] = await created(1);
  const made = sessionRecord(OVER);
  const [updated, , cleared] = await Promise.all([
    store.update(record!.id, OVER),
    store.create(made),
    store.clear(NOW),
  ]);
  expect([updated, cleared]).toEqual([true, 2]);
  for (const { id } of [record!, made]) {
    expect(await store.load(id)).toBeUndefined();
    expect(await store.update(id, RENEWED)).toBe(false);
    expect(await store.end(id, killed())).toBe(false);
  }
  expect(await idsOf({ state: "live" })).toEqual([]);
});

it("two clearings and a server that renews at the same time: each session is cleared by one, or renewed", async () => {
  const { due, live } = await halfDue(1500);
  const touched = due.filter((_, n) => n % 3 === 0);
  const renewals = Promise.all(
    touched.map(async ({ id }, n) => {
      await delay(n % 50);
      return store.update(id, RENEWED);
    }),
  );
  const other = new SqliteStore({ path });
  const counts = await Promise.all([other.clear(NOW), store.clear(NOW), other.clear(NOW)]);
  const wereThere = await renewals;
  const left = touched.filter((_, n) => wereThere[n]);
  await other.close();
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(due.length - left.length);
  expect(await idsOf({ state: "live" })).toEqual(sortedIds([...live, ...left]));
});

it("the next clearing deletes what a killed one has left", async () => {
  const { live } = await halfDue(3000);
  const clearer = fork(scripts.path("test/support/sqlite-caller.ts"), [path], { env: scripts.env, execArgv: [] });
  await once(clearer, "message");
  clearer.send({ method: "clear", calls: [[NOW]] });
  await delay(15);
  clearer.kill("SIGKILL");
  await once(clearer, "close");
  const left = (await idsOf({ state: "live" })).length - live.length;
  expect(await store.clear(NOW)).toBe(left);
  expect(await idsOf({ state: "live" })).toEqual(sortedIds(live));
});

it("ends with SESSION_CLOSED where its store is closed, and the next one goes on", async () => {
  const { live } = await halfDue(1500);
  const soFar: number[] = [];
  let closing: Promise<void> | undefined;
  const clearing = store.clear(NOW, (cleared) => {
    soFar.push(cleared);
    closing ??= store.close();
  });
  await expect(clearing).rejects.toMatchObject({ code: "SESSION_CLOSED" });
  await closing;
  expect(soFar).toHaveLength(1);
  store = new SqliteStore({ path });
  expect(await store.clear(NOW)).toBe(1500 - soFar[0]!);
  expect(await idsOf({ state: "live" })).toEqual(sortedIds(live));
});

it("P7: another store opens the folder at any moment of a clearing, and closes it", async () => {
  await halfDue(2000);
  const state = { isClearing: true };
  const cleared = store.clear(NOW).finally(() => (state.isClearing = false));
  for (let turn = 0; state.isClearing; turn += 1) {
    const other = new SqliteStore({ path });
    await other.create(sessionRecord());
    await other.close();
    await (turn % 2 === 0 ? nextTurn() : delay(1));
  }
  expect(await cleared).toBe(2000);
});
