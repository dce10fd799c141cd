import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { CLEAR_GRACE_MS } from "../../../lib/record/expiry";
import type { SessionRecord } from "../../../lib/record/session-record";
import { sqliteDriver } from "../../../lib/stores/sqlite/file/driver";
import { EndedTable } from "../../../lib/stores/sqlite/tables/session-table";
import { LiveTable } from "../../../lib/stores/sqlite/tables/live-table";
import { SessionFile } from "../../../lib/stores/sqlite/file/session-file";
import { SqliteStore } from "../../../lib/stores/sqlite/sqlite-store";
import { faultsOf, inFile } from "../../support/sqlite-checks";
import { killed, sessionRecord } from "../../support/session-records";
import { howMany } from "../../support/how-many";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const BUCKET_MS = 10 * MINUTE;
const START = Date.now();
const MANY = howMany(4_000, 20_000);
const paths: string[] = [];

afterAll(() => {
  for (const path of paths) rmSync(path, { recursive: true });
});

function temporaryFolder(): string {
  paths.push(mkdtempSync(join(tmpdir(), "coatcheck-indexes-")));
  return paths.at(-1)!;
}

async function all<T>(found: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const each of found) list.push(each);
  return list;
}

const slot = fc.integer({ min: 0, max: 4 });
const owner = fc.constantFrom("alice", "bob", "a\u0000b", "");
const purgeAt = fc.oneof(fc.integer({ min: START - HOUR, max: START + HOUR }), fc.constant(Infinity));
const step = fc.oneof(
  fc.record({ does: fc.constant("create" as const), slot, owner, purgeAt }),
  fc.record({ does: fc.constant("update" as const), slot, owner, purgeAt }),
  fc.record({ does: fc.constant("touch" as const), slot, owner, purgeAt }),
  fc.record({ does: fc.constant("replace" as const), slot, owner, purgeAt }),
  fc.record({ does: fc.constant("end" as const), slot, owner, purgeAt }),
  fc.record({ does: fc.constant("clear" as const), slot, owner, purgeAt }),
);

it("keeps the buckets and the tally right through any operations, at once or one by one", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(step, fc.boolean()), { maxLength: 40 }), async (steps) => {
      const path = temporaryFolder();
      const store = new SqliteStore({ path });
      const slots: SessionRecord[] = Array.from({ length: 5 }, () => sessionRecord());
      const running: Promise<unknown>[] = [];
      for (const [{ does, slot: at, ...fields }, waits] of steps) {
        const { id } = slots[at]!;
        const next = sessionRecord(fields);
        running.push(
          {
            create: () => store.create((slots[at] = next)),
            update: () => store.update(id, fields),
            touch: () =>
              store.update(id, { lastSeenAt: START, expiresAt: fields.purgeAt - HOUR, purgeAt: fields.purgeAt }),
            replace: () => store.replace(id, killed(START), (slots[at] = next)),
            end: () => store.end(id, { ...killed(START), purgeAt: fields.purgeAt }),
            clear: () => store.clear(START),
          }[does](),
        );
        if (waits) await Promise.all(running);
      }
      await Promise.all(running);
      await store.close();
      expect(faultsOf(path)).toEqual([]);
    }),
    { numRuns: howMany(30, 60) },
  );
});

it("keeps one ended record of an id that is created and ended twice", async () => {
  const path = temporaryFolder();
  const store = new SqliteStore({ path });
  const record = sessionRecord({ owner: "alice" });
  for (const each of [record, { ...record, owner: "bob" }]) {
    await store.create(each);
    await store.end(each.id, { ...killed(), purgeAt: Date.now() + (each.owner === "bob" ? 5 : 9) * HOUR });
  }
  expect(await all(store.find({ state: "ended", owner: "alice" }))).toEqual([]);
  expect(await all(store.find({ state: "ended", owner: "bob" }))).toHaveLength(1);
  await store.close();
  expect(faultsOf(path)).toEqual([]);
});

it("reads the records of one owner, among thousands, and no others", async () => {
  const store = new SqliteStore({ path: temporaryFolder() });
  const records = Array.from({ length: MANY }, (_, index) => sessionRecord({ owner: `user${index % (MANY / 10)}` }));
  for (let start = 0; start < records.length; start += 2000) {
    await Promise.all(records.slice(start, start + 2000).map((record) => store.create(record)));
  }
  const reads = jest.spyOn(LiveTable.prototype, "recordOf");
  const found = await all(store.find({ state: "live", owner: "user123" }));
  expect(found.map(({ owner: of }) => of)).toEqual(Array.from({ length: 10 }, () => "user123"));
  expect(reads).toHaveBeenCalledTimes(10);
  reads.mockRestore();
  expect(await all(store.find({ state: "live" }))).toHaveLength(MANY);
  await store.close();
});

it("no statement looks at all sessions, or sorts what it found", async () => {
  const { DatabaseSync } = sqliteDriver();
  const statements: string[] = [];
  class Recording extends DatabaseSync {
    override prepare(sql: string) {
      statements.push(sql);
      return super.prepare(sql);
    }
  }
  const path = temporaryFolder();
  const file = new SessionFile(path, { DatabaseSync: Recording });
  const tables = [new LiveTable(file.db, () => 0), new EndedTable(file.db)];
  const ofTables = statements.filter((sql) => /\b(session|ended)\b/.test(sql));
  const steps = inFile(path, (db) => ofTables.flatMap((sql) => db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all()));
  const plan = steps.map(({ detail }) => String(detail));
  file.close();
  expect(tables).toHaveLength(2);
  expect(plan.filter((step) => /^SEARCH (session|ended) /.test(step)).length).toBeGreaterThan(15);
  expect(plan.filter((step) => /^SCAN (session|ended)|TEMP B-TREE/.test(step))).toEqual([]);
});

it("clears to the millisecond in the one bucket that is over in part, and reads no record", async () => {
  const store = new SqliteStore({ path: temporaryFolder() });
  const boundary = Math.floor((START - CLEAR_GRACE_MS) / BUCKET_MS) * BUCKET_MS;
  const now = boundary + CLEAR_GRACE_MS + 5 * MINUTE;
  const due = Array.from({ length: 300 }, (_, n) => sessionRecord({ purgeAt: boundary - 1 - n * MINUTE }));
  const inBoundary = [
    sessionRecord({ purgeAt: boundary }),
    sessionRecord({ purgeAt: boundary + 5 * MINUTE - 1 }),
    sessionRecord({ purgeAt: boundary + 5 * MINUTE }),
    sessionRecord({ purgeAt: boundary + BUCKET_MS - 1 }),
  ];
  const later = Array.from({ length: 300 }, () => sessionRecord({ purgeAt: boundary + BUCKET_MS }));
  await Promise.all([...due, ...inBoundary, ...later].map((record) => store.create(record)));
  const reads = jest.spyOn(LiveTable.prototype, "recordOf");
  const progress: number[] = [];
  expect(await store.clear(now, (cleared) => progress.push(cleared))).toBe(302);
  expect(reads).not.toHaveBeenCalled();
  reads.mockRestore();
  expect(progress.at(-1)).toBe(302);
  const isThere = await Promise.all(inBoundary.map(async ({ id }) => (await store.load(id)) !== undefined));
  expect(isThere).toEqual([false, false, true, true]);
  await store.close();
});
