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
  readonly #wholeRows: RowPages;
  readonly #prepareHeaders: () => RowPages;
  #headers: RowPages | undefined;
  readonly #deleteBefore: Statement;
  readonly #pageOfBucket: Statement;
  readonly #deleteWithin: Statement;

  /** `header` are the columns that a header is read from; `forgotten` are those that `forget` is given of what a clearing deletes. */
  constructor(
    db: Database,
    table: "session" | "ended",
    { header, forgotten }: { readonly header: readonly string[]; readonly forgotten: readonly string[] },
  ) {
    this.select = db.prepare(`SELECT * FROM ${table} WHERE id = ?`);
    this.#wholeRows = new RowPages(db, table, ["*"]);
    this.#prepareHeaders = () => new RowPages(db, table, header);
    const returning = `RETURNING ${forgotten.join()}`;
    this.#deleteBefore = db.prepare(
      `DELETE FROM ${table} WHERE number IN (SELECT number FROM ${table} WHERE purge_bucket < ? LIMIT ?) ${returning}`,
    );
    const page = `SELECT number FROM ${table} WHERE purge_bucket = ? AND number > ? ORDER BY number LIMIT ?`;
    this.#pageOfBucket = db.prepare(`SELECT max(number) AS last FROM (${page})`);
    this.#deleteWithin = db.prepare(`DELETE FROM ${table} WHERE number IN (${page}) AND purge_at < ? ${returning}`);
  }

  /** Reads a row, or no more of it than the header. Throws `SESSION_UNREADABLE`. */
  abstract recordOf(row: Row, fields?: FindQuery["fields"]): R;

  /** The same, but undefined for what can't be read. */
  soundRecordOf(row: Row, fields?: FindQuery["fields"]): R | undefined {
    try {
      return this.recordOf(row, fields);
    } catch (error) {
      if (error instanceof SessionError && error.code === "SESSION_UNREADABLE") return undefined;
      throw error;
    }
  }

  /** Rows that may be what the query names, in the order of their ids, from after the id `last` on; fewer than `limit` where there are no more. */
  page({ id, owner, fields }: FindQuery, last: string, limit: number): Row[] {
    if (id !== undefined) return id > last ? this.select.all(id) : [];
    const pages = fields === undefined ? this.#wholeRows : (this.#headers ??= this.#prepareHeaders());
    return pages.read(owner, last, limit);
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

/** Reads rows page by page, in the order of their ids. */
class RowPages {
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

/** How far a clearing has come in the bucket that is over in part: the number of the row it looked at last, and Infinity at its end. */
export interface ClearingStep {
  readonly deleted: number;
  readonly after: number;
}

export const FIRST_STEP: ClearingStep = { deleted: 0, after: 0 };
