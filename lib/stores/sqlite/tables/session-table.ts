import { SessionError } from "../../../errors";
import { dueBefore } from "../../../record/expiry";
import type { EndedRecord, SessionRecord } from "../../../record/session-record";
import type { FindQuery } from "../../store";
import { bucketOf } from "../../index-keys";
import type { Database, Row, Statement } from "../file/driver";
import { textColumn } from "./record-columns";

/** What the tables of live and of ended sessions have in common: they are searched and cleared the same way. */
export abstract class SessionTable<R extends SessionRecord | EndedRecord> {
  protected readonly select: Statement;
  readonly #page: Statement;
  readonly #pageOfOwner: Statement;
  readonly #deleteBefore: Statement;
  readonly #pageOfBucket: Statement;
  readonly #deleteWithin: Statement;

  /** `forgotten` are the columns that `forget` is given of what a clearing deletes. */
  constructor(db: Database, table: "session" | "ended", forgotten: readonly string[]) {
    this.select = db.prepare(`SELECT * FROM ${table} WHERE id = ?`);
    this.#page = db.prepare(`SELECT * FROM ${table} WHERE id > ? ORDER BY id LIMIT ?`);
    this.#pageOfOwner = db.prepare(`SELECT * FROM ${table} WHERE owner = ? AND id > ? ORDER BY id LIMIT ?`);
    const returning = `RETURNING ${forgotten.join()}`;
    this.#deleteBefore = db.prepare(
      `DELETE FROM ${table} WHERE number IN (SELECT number FROM ${table} WHERE purge_bucket < ? LIMIT ?) ${returning}`,
    );
    const page = `SELECT number FROM ${table} WHERE purge_bucket = ? AND number > ? ORDER BY number LIMIT ?`;
    this.#pageOfBucket = db.prepare(`SELECT max(number) AS last FROM (${page})`);
    this.#deleteWithin = db.prepare(`DELETE FROM ${table} WHERE number IN (${page}) AND purge_at < ? ${returning}`);
  }

  /** Reads a row. Throws `SESSION_UNREADABLE`. */
  abstract recordOf(row: Row): R;

  /** The same, but undefined for what can't be read. */
  soundRecordOf(row: Row): R | undefined {
    try {
      return this.recordOf(row);
    } catch (error) {
      if (error instanceof SessionError && error.code === "SESSION_UNREADABLE") return undefined;
      throw error;
    }
  }

  /** Rows that may be what the query names, in the order of their ids, from after the id `last` on; fewer than `limit` where there are no more. */
  page({ id, owner }: FindQuery, last: string, limit: number): Row[] {
    if (id !== undefined) return id > last ? this.select.all(id) : [];
    return owner === undefined ? this.#page.all(last, limit) : this.#pageOfOwner.all(textColumn(owner), last, limit);
  }

  /**
   * One step of deleting what is due for clearing at `now`: looks at so many rows at most. The buckets that are over go first; of the one that is over in
   * part each row is looked at.
   */
  clear(now: number, { after }: ClearingStep, limit: number): ClearingStep {
    const due = dueBefore(now);
    const bucket = bucketOf(due);
    const before = this.#deleteBefore.all(bucket, limit);
    if (before.length > 0) return this.#deleted(before, after);
    const last = this.#pageOfBucket.get(bucket, after, limit)?.last;
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

/** How far a clearing has come in the bucket that is over in part: the number of the row it looked at last, and Infinity at its end. */
export interface ClearingStep {
  readonly deleted: number;
  readonly after: number;
}

export const FIRST_STEP: ClearingStep = { deleted: 0, after: 0 };
