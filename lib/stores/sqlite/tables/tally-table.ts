import { GUEST_USER } from "../../../record/session-record";
import type { SessionTally } from "../../store";
import { bucketOf } from "../../index-keys";
import type { Database, Statement, Value } from "../file/driver";
import { textColumn, textOf } from "./record-columns";

/** The columns that a live session is counted by, as they are stored or as texts. */
export interface Counted {
  readonly project: Value;
  readonly scope: Value;
  readonly owner: Value;
  readonly expires_bucket: number;
}

interface Change {
  readonly project: string;
  readonly scope: string;
  readonly isGuest: boolean;
  readonly bucket: number;
  by: number;
}

/**
 * How many live sessions of each group expire in each bucket. It is written in the transactions that change the
 * sessions, once for each group and bucket.
 */
export class TallyTable {
  readonly #add: Statement;
  readonly #deleteEmpty: Statement;
  readonly #sums: Statement;
  readonly #changes = new Map<string, Change>();

  constructor(db: Database) {
    this.#add = db.prepare(
      "INSERT INTO tally VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET live = live + excluded.live",
    );
    this.#deleteEmpty = db.prepare("DELETE FROM tally WHERE live = 0 AND expires_bucket < ?");
    this.#sums = db.prepare(
      `SELECT project, scope, is_guest, sum(live) AS live FROM tally WHERE expires_bucket >= ?
       GROUP BY project, scope, is_guest HAVING sum(live) > 0`,
    );
  }

  /** Counts one session more, or one less. */
  count(session: Counted, by: 1 | -1): void {
    const [project, scope] = [nameOf(session.project), nameOf(session.scope)];
    const isGuest = session.owner === GUEST_USER;
    const bucket = session.expires_bucket;
    const key = `${bucket} ${isGuest} ${project.length} ${project}${scope}`;
    const change = this.#changes.get(key);
    if (change === undefined) this.#changes.set(key, { project, scope, isGuest, bucket, by });
    else change.by += by;
  }

  /** Writes what was counted, in the open transaction. */
  write(): void {
    for (const { project, scope, isGuest, bucket, by } of this.#changes.values()) {
      if (by !== 0) this.#add.run(textColumn(project), textColumn(scope), isGuest ? 1 : 0, bucket, by);
    }
    this.#changes.clear();
  }

  discard(): void {
    this.#changes.clear();
  }

  /** Deletes what counts nothing any more of buckets before that of `now`. */
  deleteEmpty(now: number): void {
    this.#deleteEmpty.run(bucketOf(now));
  }

  /** As `SessionStore.tally` counts. */
  tally(now: number): SessionTally[] {
    return this.#sums.all(bucketOf(now)).map((row) => ({
      project: nameOf(row.project),
      scope: nameOf(row.scope),
      isGuest: row.is_guest === 1,
      live: Number(row.live),
    }));
  }
}

/** The name of a group; a damaged one is counted as what it looks like. */
function nameOf(value: Value | undefined): string {
  return typeof value === "number" || value === null ? String(value) : textOf(value);
}
