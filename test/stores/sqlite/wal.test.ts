import { closeSync, existsSync, mkdtempSync, openSync, readSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SessionRecord } from "../../../lib/record/session-record";
import { nodeDriver } from "../../../lib/stores/sqlite/file/driver";
import { SqliteStore } from "../../../lib/stores/sqlite/sqlite-store";
import { sessionRecord } from "../../support/session-records";
import { connectTo, faultsOf } from "../../support/sqlite-checks";

const MIB = 1024 * 1024;
const RECORDS = 500;
const PER_TURN = 25;
let path: string;
let store: SqliteStore;
let records: SessionRecord[];

beforeEach(async () => {
  path = mkdtempSync(join(tmpdir(), "coatcheck-wal-"));
  store = new SqliteStore({ path });
  records = Array.from({ length: RECORDS }, () => sessionRecord());
  await Promise.all(records.map((record) => store.create(record)));
});

afterEach(async () => {
  await store.close();
  // The peer has a connection open until all its statements were collected as garbage.
  if (nodeDriver() !== undefined) expect(existsSync(wal())).toBe(false);
  else expect(size()).toBe(0);
  expect(faultsOf(path)).toEqual([]);
  rmSync(path, { recursive: true });
});

const wal = () => join(path, "sessions.db-wal");
const size = () => statSync(wal()).size;

/**
 * One more each time the WAL starts over. To open and close it here is harmless: SQLite's locks are on the other two
 * files.
 */
function generation(): number {
  const head = Buffer.alloc(32);
  const file = openSync(wal(), "r");
  readSync(file, head, 0, 32, 0);
  closeSync(file);
  return head.readUInt32BE(16); // Of the salt, the first half. (https://www.sqlite.org/walformat.html)
}

let written = 0;
async function update(count: number): Promise<void> {
  for (let n = 0; n < count; n += PER_TURN) {
    const turn = Array.from({ length: PER_TURN }, (_, at) => records[(n + at) % RECORDS]!);
    const value = JSON.stringify("x".repeat(4000) + (written += 1));
    await Promise.all(turn.map(({ id }) => store.update(id, { data: { set: { big: value } } })));
  }
}

/** Goes on writing until the condition is true. */
async function updateUntil(holds: () => boolean): Promise<void> {
  while (!holds()) await update(PER_TURN);
}

it("starts over again and again under load, so that it stays short", async () => {
  for (let starts = 0; starts < 3; starts += 1) {
    const before = generation();
    await updateUntil(() => generation() > before);
  }
  await updateUntil(() => size() < 64 * MIB);
});

it("leaves nothing listening for the end of the process once the store is closed, however often that is", async () => {
  const listeners = process.listenerCount("exit");
  for (let opened = 0; opened < 3; opened += 1) {
    await updateUntil(() => process.listenerCount("exit") > listeners);
    await store.close();
    expect(process.listenerCount("exit")).toBe(listeners);
    store = new SqliteStore({ path });
  }
});

it("starts over while somebody takes long to read what a find returns", async () => {
  const found = store.find({ state: "live" })[Symbol.asyncIterator]();
  await found.next();
  const first = generation();
  await updateUntil(() => generation() > first + 1);
  let count = 1;
  while ((await found.next()).done !== true) count += 1;
  expect(count).toBe(RECORDS);
});

it("grows while another connection reads in one transaction, and starts over, cut down to 32 MiB, once that ends", async () => {
  const first = generation();
  await updateUntil(() => generation() > first);
  const reader = connectTo(path);
  reader.exec("BEGIN");
  expect(reader.prepare("SELECT count(*) AS rows FROM session").get()).toEqual({ rows: RECORDS });
  await updateUntil(() => size() > 48 * MIB);
  const grown = generation();
  reader.exec("COMMIT");
  reader.close();
  await updateUntil(() => generation() > grown);
  // By then the transaction that starts it over has ended.
  await update(PER_TURN);
  expect(size()).toBeLessThanOrEqual(33 * MIB);
});

it("loses nothing meanwhile", async () => {
  const first = generation();
  await updateUntil(() => generation() > first + 1);
  const inMemory = await Promise.all(records.map(({ id }) => store.load(id)));
  const reader = new SqliteStore({ path });
  expect(await Promise.all(records.map(({ id }) => reader.load(id)))).toEqual(inMemory);
  await Promise.all([reader.close(), store.close()]);
  store = new SqliteStore({ path });
  expect(await Promise.all(records.map(({ id }) => store.load(id)))).toEqual(inMemory);
  await update(1000);
});
