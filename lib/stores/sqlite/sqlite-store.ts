import { AsyncResource } from "node:async_hooks";
import { setImmediate as nextTurn } from "node:timers/promises";
import { isExpired } from "../../record/expiry";
import { applyDelta } from "../../record/session-delta";
import type { SessionDelta } from "../../record/session-delta";
import type { EndedRecord, Ending, SessionRecord } from "../../record/session-record";
import { alreadyStored, closedError, matches } from "../store";
import type { ClearProgress, FindQuery, SessionStore, SessionTally, UnreadableQuery, UnreadableRecord } from "../store";
import { Checkpoints, WalSync } from "./file/wal";
import type { Row } from "./file/driver";
import { ClearingPace, EndedTable, FIRST_STEP, BatchSize } from "./tables/session-table";
import { LiveTable } from "./tables/live-table";
import { textOf } from "./tables/record-columns";
import { SessionFile } from "./file/session-file";
import { resolveSqliteOptions } from "./sqlite-options";
import type { SqliteStoreOptions } from "./sqlite-options";
import { WriteQueue } from "./write-queue";

export type { SqliteStoreOptions } from "./sqlite-options";

/**
 * Keeps sessions in an SQLite file on this machine. Any number of processes may use the same folder at once. The
 * constructor throws `SESSION_CONFIG` for wrong options, and `SESSION_STORE` where the folder can't be used.
 *
 * Loads are synchronous. Updates survive the death of the process when they resolve, and reach the disk within moments;
 * creates, replaces and ends are on disk when they resolve.
 */
export class SqliteStore implements SessionStore {
  readonly #file: SessionFile;
  readonly #live: LiveTable;
  readonly #ended: EndedTable;
  readonly #sync: WalSync;
  readonly #checkpoints: Checkpoints;
  readonly #writes: WriteQueue;
  readonly #now: () => number;
  #closing: Promise<void> | undefined;

  constructor(options: SqliteStoreOptions = {}) {
    const { path, now } = resolveSqliteOptions(options);
    this.#now = now;
    this.#file = new SessionFile(path);
    try {
      this.#live = new LiveTable(this.#file.db, () => this.#file.dataVersion());
      this.#ended = new EndedTable(this.#file.db);
    } catch (cause) {
      // This happens where the schema is damaged.
      this.#file.close();
      throw this.#file.failure("opened", cause);
    }
    this.#sync = new WalSync(this.#file.path);
    this.#checkpoints = new Checkpoints(this.#file.path);
    this.#writes = new WriteQueue(this.#file, this.#live, this.#sync, (jobs) => this.#checkpoints.wrote(jobs));
  }

  load(id: string): SessionRecord | undefined | Promise<SessionRecord | undefined> {
    this.#assertOpen();
    return this.#file.read(() => this.#live.load(id));
  }

  create(record: SessionRecord): Promise<void> {
    return this.#writeDurably(() => this.#insert(record));
  }

  update(id: string, delta: SessionDelta): Promise<boolean> {
    return this.#write(() => {
      const stored = this.#live.current(id);
      if (stored !== undefined) this.#live.rewrite(stored, applyDelta(stored.record, delta));
      return stored !== undefined;
    });
  }

  mutate(id: string, change: (record: SessionRecord) => SessionDelta | undefined): Promise<SessionRecord | undefined> {
    const changeInItsContext = AsyncResource.bind(change);
    return this.#write(() => {
      const stored = this.#live.current(id);
      if (stored === undefined || isExpired(stored.record, this.#now())) return undefined;
      const delta = changeInItsContext(stored.record);
      if (delta === undefined) return stored.record;
      const changed = applyDelta(stored.record, delta);
      this.#live.rewrite(stored, changed);
      return changed;
    });
  }

  replace(oldId: string, ending: Ending, record: SessionRecord): Promise<boolean> {
    return this.#writeDurably(() => {
      const isLive = this.#live.has(oldId);
      if (isLive) {
        this.#insert(record);
        this.#live.end(oldId, ending);
      }
      return isLive;
    });
  }

  end(id: string, ending: Ending): Promise<boolean> {
    return this.#writeDurably(() => this.#live.end(id, ending));
  }

  async *find(query: FindQuery): AsyncGenerator<SessionRecord | EndedRecord> {
    const table = query.state === "live" ? this.#live : this.#ended;
    let passedOver = 0;
    for await (const rows of this.#batches(table, query)) {
      for (const row of rows) {
        this.#assertOpen();
        const record = table.soundRecordOf(row, query.fields);
        if (record === undefined) continue;
        if (matches(record, query)) passedOver = 0;
        else if ((passedOver += 1) !== query.progressEvery) continue;
        else passedOver = 0;
        yield record;
      }
    }
  }

  async *findUnreadable(query: UnreadableQuery): AsyncGenerator<UnreadableRecord> {
    for await (const rows of this.#batches(this.#live, { state: "live", ...query })) {
      for (const row of rows) {
        this.#assertOpen();
        if (this.#live.soundRecordOf(row) !== undefined) continue;
        const owner = ownerOf(row);
        if ((query.owner ?? owner) === owner) yield { id: String(row.id), owner, isUnreadable: true };
      }
    }
  }

  async tally(now: number): Promise<readonly SessionTally[]> {
    this.#assertOpen();
    return this.#file.read(() => this.#live.tally(now));
  }

  async clear(now: number, onProgress?: ClearProgress): Promise<number> {
    const dataVersion = () => {
      this.#assertOpen();
      return this.#file.dataVersion();
    };
    let cleared = 0;
    for (const table of [this.#live, this.#ended]) {
      const pace = new ClearingPace(dataVersion);
      let step = FIRST_STEP;
      while (step.after !== Infinity) {
        const before = step;
        step = await this.#write(() => pace.timed(() => table.clear(now, before, pace.size)));
        this.#checkpoints.wrote(step.deleted);
        cleared += step.deleted;
        if (step.deleted > 0) onProgress?.(cleared);
        await pace.pause();
      }
    }
    await this.#write(() => {
      this.#live.clearTallies(now);
    });
    return cleared;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#writes.idle();
    await this.#sync.close();
    await this.#checkpoints.close();
    this.#file.close();
  }

  /** Rows that may be what the query names. */
  async *#batches(table: LiveTable | EndedTable, query: FindQuery): AsyncGenerator<Row[]> {
    const batchSize = new BatchSize(query);
    let last = query.after ?? "";
    for (;;) {
      this.#assertOpen();
      const limit = batchSize.size;
      const rows = await this.#file.read(() => batchSize.timed(() => table.batch(query, last, limit)));
      yield rows;
      if (rows.length < limit || query.id !== undefined) return;
      last = String(rows.at(-1)?.id);
      await nextTurn();
    }
  }

  #write<T>(work: () => T): Promise<T> {
    return this.#closing === undefined ? this.#writes.write(work) : Promise.reject(closedError("SqliteStore"));
  }

  #writeDurably<T>(work: () => T): Promise<T> {
    return this.#closing === undefined ? this.#writes.writeDurably(work) : Promise.reject(closedError("SqliteStore"));
  }

  /** Throws `SESSION_EXISTS`. */
  #insert(record: SessionRecord): void {
    if (this.#live.has(record.id)) throw alreadyStored(record.id);
    this.#live.insert(record);
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw closedError("SqliteStore");
  }
}

/** The owner of an unreadable row; empty where that can't be read either. */
function ownerOf(row: Row): string {
  try {
    return textOf(row.owner);
  } catch {
    return "";
  }
}
