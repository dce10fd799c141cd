import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { open } from "lmdb";
import { LmdbStore } from "../../lib/stores/lmdb-store";
import { sessionRecord } from "../support/session-records";

const HOUR = 3_600_000;
const MINUTE = 60_000;
const NOW = Date.now();
let path: string;
let store: LmdbStore;

beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), "coatcheck-tally-"));
  store = new LmdbStore({ path });
});

afterEach(async () => {
  await store.close();
  rmSync(path, { recursive: true });
});

it("jumps from one expiry bucket to the next, in each of several groups, past what has expired and is kept", async () => {
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

it("counts what was there when it began: a session that is renewed meanwhile once, and no session that is made", async () => {
  const records = Array.from({ length: 50 }, (_, n) => sessionRecord({ expiresAt: NOW + n * 10 * MINUTE }));
  await Promise.all(records.map((record) => store.create(record)));
  const counting = store.tally(NOW);
  await Promise.all(
    records.map(({ id }) => store.update(id, { expiresAt: NOW + 20 * HOUR, purgeAt: NOW + 30 * HOUR })),
  );
  await store.create(sessionRecord({ expiresAt: NOW + 20 * HOUR }));
  expect(await counting).toEqual([{ project: "", scope: "browser", isGuest: true, live: 50 }]);
});

it("a tally under way ends with SESSION_CLOSED when its store is closed", async () => {
  await Promise.all(
    Array.from({ length: 50 }, (_, n) => store.create(sessionRecord({ expiresAt: NOW + n * 10 * MINUTE }))),
  );
  const refused = expect(store.tally(NOW)).rejects.toMatchObject({ code: "SESSION_CLOSED" });
  await store.close();
  await refused;
});

it("opens a folder in which other databases are, and leaves them alone", async () => {
  await store.close();
  const raw = open({ path, noSubdir: false });
  for (const name of ["live-by-purge", "live-by-tally", "ended-by-purge"]) {
    await raw.openDB<Buffer, string>(name, { encoding: "binary" }).put("000000id", Buffer.alloc(0));
  }
  await raw.close();
  store = new LmdbStore({ path });
  await store.create(sessionRecord({ purgeAt: NOW - HOUR }));
  expect(await store.tally(NOW)).toHaveLength(1);
  expect(await store.clear(NOW)).toBe(1);
});
