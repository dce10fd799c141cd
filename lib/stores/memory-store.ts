import { aClock } from "../options/reader/option-kinds";
import { readOptions } from "../options/reader/read-options";
import type { Option, OptionTable } from "../options/reader/read-options";
import { dictionary, endedRecord, groupOf, isEnded } from "../record/session-record";
import type { EndedRecord, Ending, SessionRecord } from "../record/session-record";
import { isDue, isExpired } from "../record/expiry";
import { applyDelta } from "../record/session-delta";
import type { SessionDelta } from "../record/session-delta";
import { alreadyStored, closedError, matches } from "./store";
import type { ClearProgress, FindQuery, SessionStore, SessionTally } from "./store";
import { FOREIGN_STORE_OPTIONS } from "./store-options";
import type { StoreOptions } from "./store-options";
import { groupKey } from "./index-keys";

const ENTRIES = {
  now: { read: aClock },
} as const satisfies Record<keyof StoreOptions, Option>;

const MEMORY_OPTIONS: OptionTable<typeof ENTRIES> = {
  of: "MemoryStore",
  example: "{ now: () => 0 }",
  options: ENTRIES,
  foreign: FOREIGN_STORE_OPTIONS,
};

/**
 * Keeps sessions in this process's memory: for tests, and as the smallest example of a store. Everything is lost when
 * the process ends.
 */
export class MemoryStore implements SessionStore {
  // A stored record is never changed, only replaced by another, so one that was handed out stays as it was.
  readonly #live = new Map<string, SessionRecord>();
  readonly #ended = new Map<string, EndedRecord>();
  readonly #now: () => number;
  #closed = false;

  /** Throws `SESSION_CONFIG` for wrong options. */
  constructor(options: StoreOptions = {}) {
    this.#now = readOptions(MEMORY_OPTIONS, options).now;
  }

  load(id: string): SessionRecord | undefined {
    this.#assertOpen();
    return this.#live.get(id);
  }

  async create(record: SessionRecord): Promise<void> {
    this.#assertOpen();
    if (this.#live.has(record.id)) throw alreadyStored(record.id);
    this.#live.set(record.id, record);
  }

  async update(id: string, delta: SessionDelta): Promise<boolean> {
    this.#assertOpen();
    const record = this.#live.get(id);
    if (record === undefined) return false;
    this.#live.set(id, applyDelta(record, delta));
    return true;
  }

  async mutate(
    id: string,
    change: (record: SessionRecord) => SessionDelta | undefined,
  ): Promise<SessionRecord | undefined> {
    this.#assertOpen();
    const record = this.#live.get(id);
    if (record === undefined || isExpired(record, this.#now())) return undefined;
    const delta = change(record);
    if (delta === undefined) return record;
    const changed = applyDelta(record, delta);
    this.#live.set(id, changed);
    return changed;
  }

  async replace(oldId: string, ending: Ending, record: SessionRecord): Promise<boolean> {
    this.#assertOpen();
    if (!this.#live.has(oldId)) return false;
    if (this.#live.has(record.id)) throw alreadyStored(record.id);
    this.#end(oldId, ending);
    this.#live.set(record.id, record);
    return true;
  }

  async end(id: string, ending: Ending): Promise<boolean> {
    this.#assertOpen();
    return this.#end(id, ending);
  }

  async *find(query: FindQuery): AsyncGenerator<SessionRecord | EndedRecord> {
    this.#assertOpen();
    const records: ReadonlyMap<string, SessionRecord | EndedRecord> = query.state === "live" ? this.#live : this.#ended;
    const found = query.id === undefined ? [...records.values()] : [records.get(query.id)];
    const matching = found.filter((record) => record !== undefined).filter((record) => matches(record, query));
    matching.sort((a, b) => (a.id < b.id ? -1 : 1));
    for (const record of matching) yield query.fields === "header" ? headerOf(record) : record;
  }

  async tally(now: number): Promise<readonly SessionTally[]> {
    this.#assertOpen();
    const tallies = new Map<string, SessionTally>();
    for (const record of this.#live.values()) {
      if (isExpired(record, now)) continue;
      const key = groupKey(groupOf(record));
      tallies.set(key, { ...groupOf(record), live: (tallies.get(key)?.live ?? 0) + 1 });
    }
    return [...tallies.values()];
  }

  async clear(now: number, onProgress?: ClearProgress): Promise<number> {
    this.#assertOpen();
    let cleared = 0;
    for (const records of [this.#live, this.#ended]) {
      for (const [id, record] of records) {
        if (!isDue(record, now)) continue;
        records.delete(id);
        cleared += 1;
      }
    }
    onProgress?.(cleared);
    return cleared;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#live.clear();
    this.#ended.clear();
  }

  #end(id: string, ending: Ending): boolean {
    const record = this.#live.get(id);
    if (record === undefined) return false;
    this.#live.delete(id);
    if (ending.purgeAt > ending.endedAt) this.#ended.set(id, endedRecord(record, ending));
    return true;
  }

  #assertOpen(): void {
    if (this.#closed) throw closedError("MemoryStore");
  }
}

function headerOf(record: SessionRecord | EndedRecord): SessionRecord | EndedRecord {
  return isEnded(record) ? record : { ...record, data: dictionary(), attributes: dictionary(), keys: dictionary() };
}
