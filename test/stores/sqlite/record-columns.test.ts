import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { dictionary, endedRecord } from "../../../lib/record/session-record";
import type { EndedRecord } from "../../../lib/record/session-record";
import type { Database } from "../../../lib/stores/sqlite/file/driver";
import { SqliteStore } from "../../../lib/stores/sqlite/sqlite-store";
import { killed, sessionRecord } from "../../support/session-records";
import { connectTo } from "../../support/sqlite-checks";

let path: string;
let store: SqliteStore;
/** A store that has no record in memory from a write of its own. */
let reader: SqliteStore;
let db: Database;

beforeAll(() => {
  path = mkdtempSync(join(tmpdir(), "coatcheck-columns-"));
  [store, reader] = [new SqliteStore({ path }), new SqliteStore({ path })];
  db = connectTo(path);
  db.exec("PRAGMA synchronous = OFF");
});

afterAll(async () => {
  db.close();
  await Promise.all([store.close(), reader.close()]);
  rmSync(path, { recursive: true });
});

const text = fc.string({ unit: "binary" });
const loneSurrogates = fc.array(fc.integer({ min: 0xd7f0, max: 0xe010 })).map((units) => String.fromCharCode(...units));
const anyText = fc.oneof(text, loneSurrogates, fc.constantFrom("", "\0", "a\0b", "\ud800", "🍵"));
const encoded = fc.oneof(anyText, fc.uint8Array(), fc.string({ minLength: 200, maxLength: 3000 }));
const instant = fc.oneof(
  fc.maxSafeNat(),
  fc.nat().map((n) => n / 8),
  fc.constant(Infinity),
);

/** A map without a prototype, whose keys may be anything. */
function mapOf<T>(value: fc.Arbitrary<T>): fc.Arbitrary<Record<string, T>> {
  const key = fc.oneof(fc.constantFrom("__proto__", "", "constructor", "base64", "toJSON"), anyText);
  return fc.array(fc.tuple(key, value), { maxLength: 6 }).map((entries) => {
    const map = dictionary<T>();
    for (const [name, each] of entries) map[name] = each;
    return map;
  });
}

const fieldsOfRecords = fc.record({
  ...{ owner: anyText, project: anyText, scope: anyText, remoteAddress: anyText, userAgent: anyText },
  ...{ createdAt: instant, lastSeenAt: instant, idleMs: instant },
  ...{ endsAt: instant, expiresAt: instant, purgeAt: instant },
  data: mapOf(encoded),
  attributes: mapOf(
    fc.record({
      ...{ value: encoded, encrypted: fc.boolean() },
      ...{ createdAt: instant, modifiedAt: instant, expiresAt: instant },
    }),
  ),
  keys: mapOf(fc.record({ payload: encoded, createdAt: instant, expiresAt: instant })),
  pages: mapOf(fc.record({ path: anyText, title: anyText, openedAt: instant, seenAt: instant })),
  counters: mapOf(instant),
});

async function endedOne(id: string): Promise<EndedRecord | undefined> {
  for await (const record of reader.find({ state: "ended", id })) return record as EndedRecord;
  return undefined;
}

it("P9: gives back every record as it was, and its maps inherit nothing", async () => {
  await fc.assert(
    fc.asyncProperty(fieldsOfRecords, async (fields) => {
      const record = sessionRecord(fields);
      await store.create(record);
      const read = await reader.load(record.id);
      expect(read).toEqual(record);
      for (const map of [read!.data, read!.attributes, read!.keys, read!.pages, read!.counters]) {
        for (const name of ["__proto__", "constructor"]) expect(name in map).toBe(Object.hasOwn(map, name));
      }
      for (const key of Object.keys(record.data)) expect(typeof read!.data[key]).toBe(typeof record.data[key]);
    }),
    { numRuns: 200 },
  );
});

it("P9: gives back a record as an update has left it", async () => {
  await fc.assert(
    fc.asyncProperty(fieldsOfRecords, fieldsOfRecords, async (fields, changed) => {
      const record = sessionRecord(fields);
      const { owner, expiresAt, purgeAt, data, keys, attributes } = changed;
      await store.create(record);
      const maps = { data: { set: data }, attributes: { set: attributes }, keys: { set: keys } };
      expect(await store.update(record.id, { owner, expiresAt, purgeAt, ...maps })).toBe(true);
      const inMemory = await store.load(record.id);
      const merged = dictionary();
      for (const from of [record.data, data]) for (const key of Object.keys(from)) merged[key] = from[key];
      expect(inMemory).toMatchObject({ owner, expiresAt, purgeAt });
      expect(inMemory!.data).toEqual(merged);
      expect(await reader.load(record.id)).toEqual(inMemory);
    }),
  );
});

it("gives back every ended record as it was", async () => {
  await fc.assert(
    fc.asyncProperty(fieldsOfRecords, fc.option(anyText), fc.option(anyText), async (fields, endedBy, message) => {
      const record = sessionRecord(fields);
      const ending = { ...killed(), endedBy, ...(message === null ? {} : { message }) };
      await store.create(record);
      await store.end(record.id, ending);
      expect(await endedOne(record.id)).toEqual(endedRecord(record, ending));
    }),
  );
});

it("gives back records of any size", async () => {
  for (const size of [1, 40_000, 255, 256, 300_000, 16_000, 0, 20_000]) {
    const record = sessionRecord({
      data: {
        long: "l".repeat(size),
        short: "s",
        wide: "🍵".repeat(size / 10),
        bytes: new Uint8Array(size + 1).fill(7),
      },
      counters: Object.fromEntries(Array.from({ length: size / 100 }, (_, n) => [`counter ${n}`, n])),
    });
    await store.create(record);
    expect(await reader.load(record.id)).toEqual(record);
  }
});

it("keeps values that are JSON where SQLite's own functions find them", async () => {
  const record = sessionRecord({ data: { cart: '{"items":[1,2]}', bytes: Uint8Array.of(255), name: '"tea"' } });
  await store.create(record);
  const found = db.prepare(
    "SELECT data ->> '$.cart.items[1]' AS item, data ->> 'name' AS name FROM session WHERE id = ?",
  );
  expect(found.get(record.id)).toEqual({ item: 2, name: "tea" });
});

it("hands out memory of its own", async () => {
  const clone = Uint8Array.of(255, 1, 2);
  const record = sessionRecord({ data: { clone: clone.slice() } });
  await store.create(record);
  const read = await reader.load(record.id);
  await reader.update(record.id, { counters: { n: 1 } });
  (read!.data.clone as Uint8Array).fill(0);
  expect((await store.load(record.id))!.data.clone).toEqual(clone);
});
