import { setTimeout as delay } from "node:timers/promises";
import { isUnreadable } from "../../../errors";
import { dueBefore } from "../../../record/expiry";
import { NewerFormatError, RECORD_VERSION } from "../../../record/session-record";
import type { EndedRecord, EndReason, SessionRecord } from "../../../record/session-record";
import { bucketOf } from "../../index-keys";
import { OWNER_HEADERS_AT_ONCE } from "../../store";
import type { FindQuery } from "../../store";
import type { Database, Row, Statement } from "../file/driver";
import { damaged, textColumn, textOf } from "./record-columns";

/** What the tables of live and of ended sessions have in common: they are searched and cleared the same way. */
export abstract class SessionTable<R extends SessionRecord | EndedRecord> {
  protected readonly select: Statement;
  readonly #wholeRows: RowBatches;
  readonly #prepareHeaders: () => RowBatches;
  #headers: RowBatches | undefined;
  readonly #deleteBefore: Statement;
  readonly #batchOfBucket: Statement;
  readonly #deleteWithin: Statement;

  /**
   * `header` are the columns that a header is read from; `forgotten` are those that `forget` is given of what a
   * clearing deletes.
   */
  constructor(
    db: Database,
    table: "session" | "ended",
    { header, forgotten }: { readonly header: readonly string[]; readonly forgotten: readonly string[] },
  ) {
    this.select = db.prepare(`SELECT * FROM ${table} WHERE id = ?`);
    this.#wholeRows = new RowBatches(db, table, ["*"]);
    this.#prepareHeaders = () => new RowBatches(db, table, header);
    const returning = `RETURNING ${forgotten.join()}`;
    this.#deleteBefore = db.prepare(
      `DELETE FROM ${table} WHERE number IN (SELECT number FROM ${table} WHERE purge_bucket < ? LIMIT ?) ${returning}`,
    );
    const batch = `SELECT number FROM ${table} WHERE purge_bucket = ? AND number > ? ORDER BY number LIMIT ?`;
    this.#batchOfBucket = db.prepare(`SELECT max(number) AS last FROM (${batch})`);
    this.#deleteWithin = db.prepare(`DELETE FROM ${table} WHERE number IN (${batch}) AND purge_at < ? ${returning}`);
  }

  /** Reads a row, or no more of it than the header. Throws `SESSION_UNREADABLE`. */
  abstract recordOf(row: Row, fields?: FindQuery["fields"]): R;

  /** The same, but undefined for what can't be read. */
  soundRecordOf(row: Row, fields?: FindQuery["fields"]): R | undefined {
    try {
      return this.recordOf(row, fields);
    } catch (error) {
      if (isUnreadable(error)) return undefined;
      throw error;
    }
  }

  /**
   * Rows that may be what the query names, in the order of their ids, from after the id `last` on; fewer than `limit`
   * at the end.
   */
  batch({ id, owner, fields }: FindQuery, last: string, limit: number): Row[] {
    if (id !== undefined) return id > last ? this.select.all(id) : [];
    const batches = fields === undefined ? this.#wholeRows : (this.#headers ??= this.#prepareHeaders());
    return batches.read(owner, last, limit);
  }

  /**
   * One step of deleting what is due for clearing at `now`, which looks at no more than `limit` rows. The buckets that
   * are due as a whole come first; of the next bucket, each row is looked at.
   */
  clear(now: number, { after }: ClearingStep, limit: number): ClearingStep {
    const due = dueBefore(now);
    const bucket = bucketOf(due);
    const before = this.#deleteBefore.all(bucket, limit);
    if (before.length > 0) return this.#deleted(before, after);
    const last = this.#batchOfBucket.get(bucket, after, limit)?.last;
    if (typeof last !== "number") return { deleted: 0, after: Infinity };
    return this.#deleted(this.#deleteWithin.all(bucket, after, limit, due), last);
  }

  /** Takes note of what a clearing has deleted. */
  protected abstract forget(rows: readonly Row[]): void;

  #deleted(rows: readonly Row[], after: number): ClearingStep {
    if (rows.length > 0) this.forget(rows);
    return { deleted: rows.length, after };
  }
}

/** Reads rows in batches, in the order of their ids. */
class RowBatches {
  readonly #all: Statement;
  readonly #ofOwner: Statement;

  constructor(db: Database, table: string, columns: readonly string[]) {
    const select = `SELECT ${columns.join()} FROM ${table}`;
    this.#all = db.prepare(`${select} WHERE id > ? ORDER BY id LIMIT ?`);
    this.#ofOwner = db.prepare(`${select} WHERE owner = ? AND id > ? ORDER BY id LIMIT ?`);
  }

  read(owner: string | undefined, last: string, limit: number): Row[] {
    return owner === undefined ? this.#all.all(last, limit) : this.#ofOwner.all(textColumn(owner), last, limit);
  }
}

/**
 * How far a clearing has come in the bucket that is due in part: the number of the row that it looked at last, and
 * Infinity at the end.
 */
export interface ClearingStep {
  readonly deleted: number;
  readonly after: number;
}

export const FIRST_STEP: ClearingStep = { deleted: 0, after: 0 };

/** How long one step of long work should block the event loop, in milliseconds. */
const STEP_MS = 1.5;

/** How much to do in one step, by how long the steps before took. */
export class Pace {
  size: number;
  readonly #most: number;

  constructor(first: number, most: number) {
    this.size = Math.min(first, most);
    this.#most = most;
  }

  timed<T>(step: () => T): T {
    const start = performance.now();
    try {
      return step();
    } finally {
      const factor = STEP_MS / (performance.now() - start);
      this.size = Math.max(1, Math.min(this.#most, Math.ceil(this.size * Math.min(factor, 2))));
    }
  }
}

/** How many rows a search reads at once. */
export class BatchSize extends Pace {
  constructor({ limit = Infinity, owner, fields }: FindQuery) {
    const first = owner !== undefined && fields === "header" ? OWNER_HEADERS_AT_ONCE : 25;
    super(Math.min(limit, first), 250);
  }
}

/**
 * How often a clearing leaves the lock free, and for how long, in milliseconds: other processes try to get it every few
 * milliseconds.
 */
const MOMENT_EVERY_MS = 50;
const MOMENT_MS = 5;

/** How many rows a clearing deletes in one transaction, and how long it leaves the file to others afterwards. */
export class ClearingPace extends Pace {
  readonly #dataVersion: () => number;
  #version: number;
  #freeAt = performance.now();

  /** `dataVersion` returns another number when other processes have written. */
  constructor(dataVersion: () => number) {
    super(50, 2_000);
    this.#dataVersion = dataVersion;
    this.#version = dataVersion();
  }

  async pause(): Promise<void> {
    const version = this.#dataVersion();
    const isShared = version !== this.#version;
    this.#version = version;
    if (!isShared && performance.now() - this.#freeAt < MOMENT_EVERY_MS) return;
    await delay(isShared ? STEP_MS : MOMENT_MS);
    this.#freeAt = performance.now();
  }
}

/** The table of ended sessions. */
export class EndedTable extends SessionTable<EndedRecord> {
  constructor(db: Database) {
    super(db, "ended", { header: ["*"], forgotten: ["number"] });
  }

  override recordOf(row: Row): EndedRecord {
    const id = String(row.id);
    if (Number(row.format) > RECORD_VERSION) throw new NewerFormatError(id, Number(row.format));
    try {
      return {
        v: RECORD_VERSION,
        id,
        owner: textOf(row.owner),
        project: textOf(row.project),
        scope: textOf(row.scope),
        createdAt: Number(row.created_at),
        lastSeenAt: Number(row.last_seen_at),
        remoteAddress: textOf(row.remote_address),
        userAgent: textOf(row.user_agent),
        endedAt: Number(row.ended_at),
        reason: textOf(row.reason) as EndReason,
        endedBy: row.ended_by === null ? null : textOf(row.ended_by),
        purgeAt: Number(row.purge_at),
        ...(row.message === null ? undefined : { message: textOf(row.message) }),
        ...(row.bytes_sent === null ? undefined : { bytesSent: Number(row.bytes_sent) }),
      };
    } catch (cause) {
      throw damaged(id, cause);
    }
  }

  protected override forget(): void {
    // Ended sessions are neither counted nor kept in memory.
  }
}
