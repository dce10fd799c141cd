import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SqliteStore } from "../../../lib/stores/sqlite/sqlite-store";
import { killed, sessionRecord } from "../../support/session-records";
import { faultsOf, inFile } from "../../support/sqlite-checks";

const HOUR = 3_600_000;
const MINUTE = 60_000;
const NOW = Date.now();
let path: string;
let store: SqliteStore;

beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), "coatcheck-tally-"));
  store = new SqliteStore({ path });
});

afterEach(async () => {
  await store.close();
  rmSync(path, { recursive: true });
});

it("counts several groups of many expiry times, and not what has expired and is kept", async () => {
  const groups = [
    { owner: "alice", project: "shop", scope: "browser" },
    { owner: "bob", project: "shop", scope: "ios" },
    { project: "shop", scope: "browser" },
    { owner: "alice", project: "", scope: "browser" },
  ];
  const endless = { idleMs: Infinity, endsAt: Infinity, expiresAt: Infinity, purgeAt: Infinity };
  for (const [at, group] of groups.entries()) {
    const expired = Array.from({ length: 30 }, (_, n) => NOW - (20 + n * 7) * MINUTE);
    const live = Array.from({ length: 40 + at }, (_, n) => NOW + (1 + n * 11) * MINUTE);
    await Promise.all([
      // What has expired is kept for a day, or due already, or due before what expires after it.
      ...expired.map((expiresAt, n) =>
        store.create(sessionRecord({ ...group, expiresAt, purgeAt: n % 3 === 0 ? expiresAt : expiresAt + 24 * HOUR })),
      ),
      ...live.map((expiresAt, n) =>
        store.create(sessionRecord({ ...group, expiresAt, purgeAt: expiresAt + n * HOUR })),
      ),
      store.create(sessionRecord({ ...group, ...endless })),
    ]);
  }
  const tallies = [...(await store.tally(NOW))].map(({ live }) => live).sort((a, b) => a - b);
  expect(tallies).toEqual([41, 42, 43, 44]);
  expect((await store.tally(NOW + 9999 * HOUR)).map(({ live }) => live)).toEqual([1, 1, 1, 1]);
  expect(await store.clear(NOW + 9999 * HOUR)).toBe(4 * 30 + 40 + 41 + 42 + 43);
  expect((await store.tally(NOW)).map(({ live }) => live)).toEqual([1, 1, 1, 1]);
});

it("counts sessions that were renewed, signed in, ended and replaced where they are now", async () => {
  const records = Array.from({ length: 60 }, (_, n) => sessionRecord({ expiresAt: NOW + n * 10 * MINUTE }));
  await Promise.all(records.map((record) => store.create(record)));
  await Promise.all(
    records.map(({ id }, n) => {
      if (n % 4 === 0) return store.update(id, { expiresAt: NOW + 20 * HOUR, purgeAt: NOW + 30 * HOUR });
      if (n % 4 === 1) return store.update(id, { owner: "alice" });
      if (n % 4 === 2) return store.end(id, killed());
      return store.replace(id, killed(), sessionRecord({ owner: "bob" }));
    }),
  );
  expect([...(await store.tally(NOW))].sort((a, b) => a.live - b.live)).toEqual([
    { project: "", scope: "browser", isGuest: true, live: 15 },
    { project: "", scope: "browser", isGuest: false, live: 30 },
  ]);
  expect(faultsOf(path)).toEqual([]);
});

it("counts no write of a transaction in which another write was refused", async () => {
  const [record, other] = [sessionRecord(), sessionRecord()];
  await store.create(record);
  const outcomes = await Promise.allSettled([
    store.update(record.id, { expiresAt: NOW + 5 * HOUR, purgeAt: NOW + 30 * HOUR }),
    store.create(record),
    store.create(other),
  ]);
  expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(await store.tally(NOW)).toEqual([{ project: "", scope: "browser", isGuest: true, live: 2 }]);
  expect(faultsOf(path)).toEqual([]);
});

it("keeps apart groups whose names are alike, whatever is in them", async () => {
  const names = ["", "a", "b", "ab", "a\0b", "a b", "\ud800", "1 a", "x".repeat(3000)];
  const groups = names.flatMap((project) => names.map((scope) => ({ project, scope })));
  await Promise.all(groups.map((group) => store.create(sessionRecord(group))));
  const tallies = await store.tally(NOW);
  const asText = (all: readonly { project: string; scope: string }[]) =>
    all.map(({ project, scope }) => JSON.stringify([project, scope])).sort();
  expect(asText(tallies)).toEqual(asText(groups));
  expect(new Set(tallies.map(({ live }) => live))).toEqual(new Set([1]));
  expect(faultsOf(path)).toEqual([]);
});

it("keeps no tally of times that are over and count nothing any more, once they were cleared", async () => {
  const records = Array.from({ length: 30 }, (_, n) => sessionRecord({ expiresAt: NOW + n * 10 * MINUTE }));
  await Promise.all(records.map((record) => store.create(record)));
  expect(await store.clear(NOW + 9999 * HOUR)).toBe(30);
  expect(inFile(path, (db) => db.prepare("SELECT count(*) AS rows FROM tally").get())).toEqual({ rows: 0 });
});

it("ends with SESSION_CLOSED once its store is closed", async () => {
  await store.create(sessionRecord());
  await store.close();
  await expect(store.tally(NOW)).rejects.toMatchObject({ code: "SESSION_CLOSED" });
});
