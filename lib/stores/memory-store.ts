import { SessionError } from "../errors";
import { CLEAR_GRACE_MS, isExpired } from "../record/expiry";
import { applyDelta } from "../record/session-delta";
import type { SessionDelta } from "../record/session-delta";
import { endedRecord } from "../record/session-record";
import type { EndedRecord, Ending, SessionRecord } from "../record/session-record";
import type { ClearProgress, FindQuery, SessionStore, StoreOptions } from "./store";

/**
 * Keeps sessions in this process's memory: for tests, and to read how little a store is.
 * Everything is lost when the process ends.
 */
export class MemoryStore implements SessionStore {
  // A stored record is never changed, only replaced by another, so one that was handed out stays as it was.
  readonly #live = new Map<string, SessionRecord>();
  readonly #ended = new Map<string, EndedRecord>();
  readonly #now: () => number;
  #closed = false;

  constructor(options: StoreOptions = {}) {
    this.#now = options.now ?? Date.now;
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
    const records = query.state === "live" ? this.#live : this.#ended;
    for (const record of records.values()) {
      if (query.id !== undefined && query.id !== record.id) continue;
      if (query.owner !== undefined && query.owner !== record.owner) continue;
      if (query.project !== undefined && query.project !== record.project) continue;
      yield record;
    }
  }

  async clear(now: number, onProgress?: ClearProgress): Promise<number> {
    this.#assertOpen();
    let cleared = 0;
    for (const records of [this.#live, this.#ended]) {
      for (const [id, record] of records) {
        if (record.purgeAt + CLEAR_GRACE_MS >= now) continue;
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
    if (this.#closed) throw new SessionError("SESSION_CLOSED", "This MemoryStore was closed; make a new one.");
  }
}

function alreadyStored(id: string): SessionError {
  return new SessionError("SESSION_EXISTS", `A session with the id ${id} is stored already.`);
}
