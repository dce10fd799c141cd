import { AsyncResource } from "node:async_hooks";
import { dueBefore, isExpired } from "../../record/expiry";
import { applyDelta } from "../../record/session-delta";
import type { SessionDelta } from "../../record/session-delta";
import type { EndedRecord, Ending, SessionRecord } from "../../record/session-record";
import { QueueById, untilSettled } from "../conflicts";
import { bucketOf } from "../index-keys";
import { alreadyStored, closedError, matches } from "../store";
import type { ClearProgress, FindQuery, SessionStore, SessionTally, UnreadableQuery, UnreadableRecord } from "../store";
import { BatchedCalls } from "./batched-calls";
import { PostgresCalls } from "./postgres-calls";
import { isDuplicate, timeoutError } from "./postgres-errors";
import { resolvePostgresOptions } from "./postgres-options";
import type { PostgresStoreOptions } from "./postgres-options";
import { endingOf, insertedValues, jsonColumn, storedRecordOf, textOf } from "./record-rows";
import type { StoredRecord } from "./record-rows";
import { pagesOf, soundRecordOf } from "./row-pages";
import type { RowPage } from "./row-pages";
import { TableNames } from "./schema";
import { Statements } from "./statements";

export type { PostgresPool } from "./postgres-calls";
export type { PostgresStoreOptions } from "./postgres-options";
export type { TablePlace } from "./schema";
export { migrationSql } from "./postgres-options";

/**
 * Keeps sessions in PostgreSQL 13 or newer. Any number of instances may use the same tables at once. The constructor
 * throws `SESSION_CONFIG` for wrong options, and connects nowhere; the first call makes the tables where the role may.
 *
 * A write is committed when it resolves. Whether it is then on disk, and on how many servers, depends on PostgreSQL's
 * setting `synchronous_commit`.
 */
export class PostgresStore implements SessionStore {
  readonly #statements: Statements;
  readonly #calls: PostgresCalls;
  readonly #now: () => number;
  readonly #timeoutMs: number;
  readonly #batched: BatchedCalls;
  /** The changes of `mutate`. */
  readonly #changes = new QueueById();
  readonly #underWay = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  constructor(options: PostgresStoreOptions) {
    const { now, timeoutMs, ...source } = resolvePostgresOptions(options);
    this.#now = now;
    this.#timeoutMs = timeoutMs;
    this.#statements = new Statements(new TableNames(source));
    this.#calls = new PostgresCalls({ ...source, timeoutMs }, this.#statements);
    this.#batched = new BatchedCalls(this.#calls, this.#statements, timeoutMs);
  }

  /**
   * Makes the tables where they are missing, as the first call does. Rejects with `SESSION_STORE` where the role may
   * not, or where a newer version of coatcheck made them.
   */
  async migrate(): Promise<void> {
    this.#assertOpen();
    await this.#calls.prepare();
  }

  async load(id: string): Promise<SessionRecord | undefined> {
    this.#assertOpen();
    return (await this.#find(id))?.record;
  }

  create(record: SessionRecord): Promise<void> {
    return this.#write(async () => {
      if (!(await this.#batched.create(record))) throw alreadyStored(record.id);
    });
  }

  update(id: string, delta: SessionDelta): Promise<boolean> {
    return this.#write(() => this.#batched.update(id, delta));
  }

  mutate(id: string, change: (record: SessionRecord) => SessionDelta | undefined): Promise<SessionRecord | undefined> {
    const changeInItsContext = AsyncResource.bind(change);
    const askedAt = performance.now();
    const deadline = this.#deadline();
    // Of changes made at the same time only one is applied; those of this process wait for each other.
    return this.#write(() =>
      this.#changes.add(id, () =>
        untilSettled(id, askedAt, deadline, async () => {
          const stored = await this.#find(id);
          if (stored === undefined || isExpired(stored.record, this.#now())) return undefined;
          const delta = changeInItsContext(stored.record);
          if (delta === undefined) return stored.record;
          const isWritten = await this.#batched.swap(id, delta, stored.version);
          return isWritten ? applyDelta(stored.record, delta) : "conflict";
        }),
      ),
    );
  }

  replace(oldId: string, ending: Ending, record: SessionRecord): Promise<boolean> {
    return this.#write(async () => {
      const values = [jsonColumn([endingOf(oldId, ending)]), ...insertedValues(record)];
      try {
        return (await this.#calls.send("a replace", { text: this.#statements.replace, values })).rowCount === 1;
      } catch (error) {
        throw isDuplicate(causeOf(error)) ? alreadyStored(record.id) : error;
      }
    });
  }

  end(id: string, ending: Ending): Promise<boolean> {
    return this.#write(() => this.#batched.end(id, ending));
  }

  async *find(query: FindQuery): AsyncGenerator<SessionRecord | EndedRecord> {
    let passedOver = 0;
    for await (const { rows, lookedAt } of this.#pages(query)) {
      passedOver += lookedAt - rows.length;
      for (const row of rows) {
        this.#assertOpen();
        const record = soundRecordOf(row, query);
        if (record === undefined) continue;
        const isMatch = matches(record, query);
        passedOver = isMatch ? 0 : passedOver + 1;
        if (!isMatch && passedOver < (query.progressEvery ?? Infinity)) continue;
        passedOver = 0;
        yield record;
      }
    }
  }

  async *findUnreadable(query: UnreadableQuery): AsyncGenerator<UnreadableRecord> {
    for await (const { rows } of this.#pages({ state: "live", ...query })) {
      for (const row of rows) {
        this.#assertOpen();
        if (soundRecordOf(row, { state: "live" }) !== undefined) continue;
        yield { id: textOf(row[0]), owner: textOf(row[2]), isUnreadable: true };
      }
    }
  }

  async tally(now: number): Promise<readonly SessionTally[]> {
    this.#assertOpen();
    const { rows } = await this.#calls.send("a tally", { text: this.#statements.tally, values: [now] }, true);
    return rows.map(([project, scope, isGuest, live]) => ({
      project: textOf(project),
      scope: textOf(scope),
      isGuest: isGuest === "true",
      live: Number(live),
    }));
  }

  async clear(now: number, onProgress?: ClearProgress): Promise<number> {
    const due = dueBefore(now);
    const live = { text: this.#statements.clearLive, values: [due, bucketOf(due), CLEARED_AT_ONCE] };
    const ended = { text: this.#statements.clearEnded, values: [due, CLEARED_AT_ONCE] };
    let cleared = 0;
    for (const query of [live, ended]) {
      for (let lookedAt = CLEARED_AT_ONCE; lookedAt === CLEARED_AT_ONCE;) {
        const { rows } = await this.#write(() => this.#calls.send("a clearing", query));
        const [gone, seen] = rows[0] ?? [];
        lookedAt = Number(seen);
        cleared += Number(gone);
        if (Number(gone) > 0) onProgress?.(cleared);
      }
    }
    return cleared;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await Promise.allSettled([...this.#underWay]);
    await this.#batched.idle();
    await this.#calls.close();
  }

  async #find(id: string): Promise<StoredRecord | undefined> {
    const row = await this.#batched.load(id, "live");
    return row === undefined ? undefined : storedRecordOf(row);
  }

  #pages(query: FindQuery): AsyncIterable<RowPage> {
    if (query.id !== undefined && query.state === "ended") return this.#endedRow(query.id);
    return pagesOf(query, async (last, limit) => {
      this.#assertOpen();
      return (await this.#calls.send("a find", this.#statements.page(query, last, limit), true)).rows;
    });
  }

  /** The page of one id. */
  async *#endedRow(id: string): AsyncGenerator<RowPage> {
    this.#assertOpen();
    const row = await this.#batched.load(id, "ended");
    const rows = row === undefined ? [] : [row];
    yield { rows, lookedAt: rows.length };
  }

  #deadline() {
    const timeoutMs = this.#timeoutMs;
    return {
      get latest() {
        return performance.now() - timeoutMs;
      },
      assertInTime(call: string, askedAt: number) {
        if (askedAt <= this.latest) throw timeoutError(call, timeoutMs);
      },
    };
  }

  async #write<T>(work: () => Promise<T>): Promise<T> {
    this.#assertOpen();
    const working = work();
    this.#underWay.add(working);
    try {
      return await working;
    } finally {
      this.#underWay.delete(working);
    }
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw closedError("PostgresStore");
  }
}

/** How many rows a clearing looks at in one statement. */
const CLEARED_AT_ONCE = 1_000;

function causeOf(error: unknown): unknown {
  return error instanceof Error ? error.cause : undefined;
}
