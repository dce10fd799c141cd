import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SessionRecord } from "../../../lib/record/session-record";
import type { Database } from "../../../lib/stores/sqlite/file/driver";
import { SqliteStore } from "../../../lib/stores/sqlite/sqlite-store";
import { sessionRecord } from "../../support/session-records";
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

describe("P9: a row in which", () => {
  const bytes = Uint8Array.of(255, 15, 1, 2, 3, 0);
  const instants = { createdAt: 1, expiresAt: Infinity };
  const TEXTS = ["owner", "project", "scope", "remote_address", "user_agent", "layout", "data"];
  const MAPS = ["attributes", "keys", "pages", "counters"];
  const TIMES = ["created_at", "last_seen_at", "idle_ms", "ends_at", "expires_at", "purge_at"];
  let record: SessionRecord;

  beforeEach(async () => {
    record = sessionRecord({
      ...{ owner: "alice\0", project: "shop", scope: "é🍵", userAgent: "Mozilla/5.0 \ud800", endsAt: Infinity },
      data: { cart: '{"items":[1]}', "": "null", clone: bytes, another: Uint8Array.of(255), "\0": '"🍵"' },
      attributes: { note: { value: bytes, encrypted: true, modifiedAt: 2, ...instants } },
      keys: { k: { payload: bytes, ...instants } },
      pages: { p: { path: "/", title: "", openedAt: 1, seenAt: 2 } },
      counters: { n: 7, bytesSent: 1 },
    });
    await store.create(record);
  });

  /**
   * Writes one value past the store, of the type that `cast` says, and expects that the session can't be read, and is
   * not absent.
   */
  async function expectUnreadable(column: string, value: number | Uint8Array | null, cast: string): Promise<void> {
    db.prepare(`UPDATE session SET ${column} = ${cast} WHERE id = ?`).run(value, record.id);
    const failure = { code: "SESSION_UNREADABLE", message: expect.stringContaining(record.id) };
    await expect(async () => reader.load(record.id)).rejects.toMatchObject(failure);
  }

  /** The bytes of a column, and what makes a value of them again. */
  function stored(column: string): { bytes: Uint8Array; cast: string } {
    const type = `SELECT CAST(${column} AS BLOB) AS bytes, typeof(${column}) AS type FROM session WHERE id = ?`;
    const row = db.prepare(type).get(record.id)!;
    return { bytes: row.bytes as Uint8Array, cast: row.type === "text" ? "CAST(? AS TEXT)" : "?" };
  }

  it.each([...TEXTS, ...MAPS, "clones"])("any one byte of %s was changed can't be read", async (column) => {
    const { bytes: before, cast } = stored(column);
    expect(before.length).toBeGreaterThan(0);
    for (let at = 0; at < before.length; at += 1) {
      for (const bit of [1, 0x80, 1 + (at % 255)]) {
        const damaged = Uint8Array.from(before);
        damaged[at]! ^= bit;
        await expectUnreadable(column, damaged, cast);
      }
    }
    db.prepare(`UPDATE session SET ${column} = ${cast} WHERE id = ?`).run(before, record.id);
    expect(await reader.load(record.id)).toEqual(record);
  });

  it.each(TIMES)("any one bit of %s was changed can't be read", async (column) => {
    const row = db.prepare(`SELECT ${column} AS at FROM session WHERE id = ?`).get(record.id);
    const value = new Float64Array([Number(row?.at)]);
    const bits = new Uint8Array(value.buffer);
    for (let bit = 0; bit < 64; bit += 1) {
      bits[bit >> 3]! ^= 1 << (bit & 7);
      // A REAL of SQLite's is never NaN.
      if (!Number.isNaN(value[0])) await expectUnreadable(column, value[0]!, "?");
      bits[bit >> 3]! ^= 1 << (bit & 7);
    }
  });

  it("any one bit of the checksum was changed can't be read", async () => {
    const { checksum } = db.prepare("SELECT checksum FROM session WHERE id = ?").get(record.id)!;
    for (let bit = 0; bit < 33; bit += 1) await expectUnreadable("checksum", Number(checksum) + 2 ** bit, "?");
  });

  it.each([...TEXTS, ...MAPS])("%s has become a BLOB, a text or NULL can't be read", async (column) => {
    const { bytes: before, cast } = stored(column);
    await expectUnreadable(column, before, cast === "?" ? "CAST(? AS TEXT)" : "?");
    if (MAPS.includes(column)) await expectUnreadable(column, null, "?");
  });

  it("the clones are missing can't be read", () => expectUnreadable("clones", null, "?"));

  it("a value was cut off, or goes on, can't be read", async () => {
    for (const column of [...TEXTS, ...MAPS, "clones"]) {
      const { bytes: before, cast } = stored(column);
      await expectUnreadable(column, before.subarray(0, -1), cast);
      await expectUnreadable(column, Buffer.concat([before, Buffer.from("  ")]), cast);
      db.prepare(`UPDATE session SET ${column} = ${cast} WHERE id = ?`).run(before, record.id);
    }
  });

  it("the content of another session is can't be read", async () => {
    const other = sessionRecord({ ...record, id: sessionRecord().id });
    await store.create(other);
    const columns = [...MAPS, "layout", "data", "clones", "checksum"];
    db.prepare(
      `UPDATE session SET (${columns.join()}) = (SELECT ${columns.join()} FROM session WHERE id = ?) WHERE id = ?`,
    ).run(other.id, record.id);
    await expect(async () => reader.load(record.id)).rejects.toMatchObject({ code: "SESSION_UNREADABLE" });
    expect(await reader.load(other.id)).toEqual(other);
  });

  it("the id was changed can't be read under that id, and is not found under its own", async () => {
    const changed = sessionRecord().id;
    db.prepare("UPDATE session SET id = ? WHERE id = ?").run(changed, record.id);
    await expect(async () => reader.load(changed)).rejects.toMatchObject({ code: "SESSION_UNREADABLE" });
    expect(await reader.load(record.id)).toBeUndefined();
  });

  it("the format is a newer one says which one it is, which ones are read, and what to do", async () => {
    db.prepare("UPDATE session SET format = 2 WHERE id = ?").run(record.id);
    await expect(async () => reader.load(record.id)).rejects.toMatchObject({
      code: "SESSION_UNREADABLE",
      message: `The session ${record.id} is stored in format 2, and this version of coatcheck reads 1; upgrade coatcheck.`,
    });
  });
});
