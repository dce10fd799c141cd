import { BYTES_SENT } from "../../../record/session-record";
import type { Ending, SessionRecord } from "../../../record/session-record";
import { bucketOf } from "../../index-keys";
import type { FindQuery, SessionTally } from "../../store";
import type { Database, Row, Statement, Value } from "../file/driver";
import { contentColumns, damaged, HEADER_COLUMNS, sessionRecordOf, textColumn } from "./record-columns";
import { SessionTable } from "./session-table";
import { TallyTable } from "./tally-table";
import type { Counted } from "./tally-table";

/** A live record, and the number of its row. */
export interface StoredRecord {
  readonly number: number;
  readonly record: SessionRecord;
}

/** Each list has the order of the values that are bound to it. */
const FIXED = ["id", "format", "project", "scope", "created_at", "ends_at", "remote_address", "user_agent"];
const INDEXED = ["owner", "expires_bucket", "purge_bucket"];
const TIMES = ["last_seen_at", "idle_ms", "expires_at", "purge_at"];
const CONTENT = ["layout", "data", "clones", "attributes", "keys", "pages", "counters", "checksum"];
/** What an ended session keeps; the rest of its columns are the ending's. */
const KEPT = [
  "id",
  "format",
  "owner",
  "project",
  "scope",
  "created_at",
  "last_seen_at",
  "remote_address",
  "user_agent",
];
/** What a tally counts by. */
const COUNTED: readonly (keyof Counted)[] = ["project", "scope", "owner", "expires_bucket"];
const ENDING = ["ended_at", "reason", "ended_by", "message", "purge_at", "purge_bucket"];

/**
 * The table of live sessions. It begins and ends no transactions, but is told of them: only what was committed is kept
 * in memory for later reads.
 */
export class LiveTable extends SessionTable<SessionRecord> {
  readonly #insert: Statement;
  readonly #rewrite: Statement;
  readonly #reindex: Statement;
  readonly #remember: Statement;
  readonly #delete: Statement;
  readonly #tallies: TallyTable;
  readonly #dataVersion: () => number;
  readonly #cache = new RecordCache<StoredRecord>();
  #cachedVersion = NaN;
  /** What the open transaction has written; undefined for what it has ended. */
  readonly #written = new Map<string, StoredRecord | undefined>();

  /** `dataVersion` returns another number whenever somebody else has written. */
  constructor(db: Database, dataVersion: () => number) {
    super(db, "session", { header: HEADER_COLUMNS, forgotten: ["id", ...COUNTED] });
    this.#tallies = new TallyTable(db);
    this.#dataVersion = dataVersion;
    const columns = [...FIXED, ...INDEXED, ...TIMES, ...CONTENT];
    this.#insert = db.prepare(`INSERT INTO session (${columns.join()}) VALUES (${columns.map(() => "?").join()})`);
    const update = (changed: readonly string[]) =>
      db.prepare(`UPDATE session SET ${changed.map((column) => `${column} = ?`).join()} WHERE number = ? AND id = ?`);
    this.#rewrite = update([...TIMES, ...CONTENT]);
    this.#reindex = update([...INDEXED, ...TIMES, ...CONTENT]);
    this.#remember = db.prepare(
      `INSERT OR REPLACE INTO ended (${[...KEPT, ...ENDING].join()}, bytes_sent)
       SELECT ${KEPT.join()}, ${ENDING.map(() => "?").join()},
         CASE WHEN json_valid(counters) THEN nullif(counters ->> '${BYTES_SENT}', 0) END
       FROM session WHERE id = ?`,
    );
    this.#delete = db.prepare(`DELETE FROM session WHERE id = ? RETURNING ${COUNTED.join()}`);
  }

  /** The record of this id as it was committed last. Throws `SESSION_UNREADABLE`. */
  load(id: string): SessionRecord | undefined {
    this.#revalidate();
    return this.#get(id)?.record;
  }

  override recordOf(row: Row, fields?: FindQuery["fields"]): SessionRecord {
    return sessionRecordOf(row, fields);
  }

  /** A transaction has begun; nobody else writes until it ends. */
  begun(): void {
    this.#revalidate();
  }

  /** The record of this id as the open transaction sees it. Throws `SESSION_UNREADABLE`. */
  current(id: string): StoredRecord | undefined {
    return this.#written.has(id) ? this.#written.get(id) : this.#get(id);
  }

  /** Whether the open transaction sees a live record of this id, readable or not. */
  has(id: string): boolean {
    return this.#written.has(id) ? this.#written.get(id) !== undefined : this.select.get(id) !== undefined;
  }

  insert(record: SessionRecord): void {
    const { lastInsertRowid } = this.#insert.run(...fixed(record), ...indexed(record), ...changing(record));
    this.#tallies.count(countedOf(record), 1);
    this.#written.set(record.id, { number: Number(lastInsertRowid), record });
  }

  /** Writes `after` over what `current` returned. */
  rewrite({ number, record: before }: StoredRecord, after: SessionRecord): void {
    // SQLite rewrites the entries of an index even for columns that are set to what they were.
    const isIndexedAlike = hasSameIndexes(before, after);
    const values = [...changing(after), number, after.id];
    const { changes } = isIndexedAlike ? this.#rewrite.run(...values) : this.#reindex.run(...indexed(after), ...values);
    if (Number(changes) !== 1) throw damaged(after.id);
    if (!isIndexedAlike) {
      this.#tallies.count(countedOf(before), -1);
      this.#tallies.count(countedOf(after), 1);
    }
    this.#written.set(after.id, { number, record: after });
  }

  /** Ends a live record, also one that can't be read; false where there is none. */
  end(id: string, ending: Ending): boolean {
    if (ending.purgeAt > ending.endedAt) this.#remember.run(...endingValues(ending), id);
    this.#written.set(id, undefined);
    // SQLite deletes the row before it returns it.
    const row = this.#delete.get(id);
    if (row !== undefined) this.#tallies.count(row as unknown as Counted, -1);
    return row !== undefined;
  }

  /** The transaction will be committed. */
  committing(): void {
    this.#tallies.write();
  }

  /** The transaction was committed. */
  committed(): void {
    for (const [id, stored] of this.#written) {
      if (stored === undefined) this.#cache.forget(id);
      else this.#cache.keep(id, stored, bytesOf(stored.record));
    }
    this.#written.clear();
  }

  /** The transaction was rolled back. */
  rolledBack(): void {
    this.#written.clear();
    this.#tallies.discard();
  }

  /** As `SessionStore.tally` counts. */
  tally(now: number): SessionTally[] {
    return this.#tallies.tally(now);
  }

  /** Deletes tallies that count nothing any more. */
  clearTallies(now: number): void {
    this.#tallies.deleteEmpty(now);
  }

  protected override forget(rows: readonly Row[]): void {
    for (const row of rows) {
      this.#tallies.count(row as unknown as Counted, -1);
      this.#written.set(String(row.id), undefined);
    }
  }

  #get(id: string): StoredRecord | undefined {
    const cached = this.#cache.get(id);
    if (cached !== undefined) return cached;
    const row = this.select.get(id);
    if (row === undefined) return undefined;
    const stored = { number: Number(row.number), record: sessionRecordOf(row) };
    this.#cache.keep(id, stored, bytesOf(stored.record));
    return stored;
  }

  /** Empties the cache where somebody else has written since it was filled. */
  #revalidate(): void {
    const version = this.#dataVersion();
    if (version !== this.#cachedVersion) this.#cache.clear();
    this.#cachedVersion = version;
  }
}

function fixed({ id, v, project, scope, createdAt, endsAt, remoteAddress, userAgent }: SessionRecord): Value[] {
  const texts = [textColumn(remoteAddress), textColumn(userAgent)];
  return [id, v, textColumn(project), textColumn(scope), createdAt, endsAt, ...texts];
}

function indexed({ owner, expiresAt, purgeAt }: SessionRecord): Value[] {
  return [textColumn(owner), bucketOf(expiresAt), bucketOf(purgeAt)];
}

function countedOf({ project, scope, owner, expiresAt }: SessionRecord): Counted {
  return { project, scope, owner, expires_bucket: bucketOf(expiresAt) };
}

function hasSameIndexes(before: SessionRecord, after: SessionRecord): boolean {
  return (
    before.owner === after.owner &&
    bucketOf(before.expiresAt) === bucketOf(after.expiresAt) &&
    bucketOf(before.purgeAt) === bucketOf(after.purgeAt)
  );
}

function changing(record: SessionRecord): Value[] {
  const { layout, data, clones, attributes, keys, pages, counters, checksum } = contentColumns(record);
  const { lastSeenAt, idleMs, expiresAt, purgeAt } = record;
  return [
    ...[lastSeenAt, idleMs, expiresAt, purgeAt],
    ...[layout, data, clones, attributes, keys, pages, counters, checksum],
  ];
}

function endingValues({ endedAt, reason, endedBy, message, purgeAt }: Ending): Value[] {
  const by = endedBy === null ? null : textColumn(endedBy);
  const text = message === undefined ? null : textColumn(message);
  return [endedAt, reason, by, text, purgeAt, bucketOf(purgeAt)];
}

/** About how much memory its data take. */
function bytesOf({ data }: SessionRecord): number {
  let bytes = 0;
  for (const key in data) bytes += data[key]?.length ?? 0;
  return bytes;
}

/** About how many bytes of records one generation holds; two generations are kept. */
const GENERATION_BYTES = 4 * 1024 * 1024;
/** What a record costs here beside its data. */
const OVERHEAD_BYTES = 1024;

/**
 * The records that were read or written last, by id; those used longest ago are forgotten. Callers must make sure that
 * nobody else has written since.
 */
export class RecordCache<T> {
  #young = new Map<string, T>();
  #old = new Map<string, T>();
  #youngBytes = 0;

  get(id: string): T | undefined {
    return this.#young.get(id) ?? this.#old.get(id);
  }

  /**
   * Keeps a record whose data have about this many bytes. A record that is kept again counts again, which only makes
   * the generation end earlier.
   */
  keep(id: string, record: T, bytes: number): void {
    if (this.#youngBytes > GENERATION_BYTES) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngBytes = 0;
    }
    this.#young.set(id, record);
    this.#youngBytes += bytes + OVERHEAD_BYTES;
  }

  forget(id: string): void {
    this.#young.delete(id);
    this.#old.delete(id);
  }

  clear(): void {
    if (this.#young.size > 0) this.#young = new Map();
    if (this.#old.size > 0) this.#old = new Map();
    this.#youngBytes = 0;
  }
}
