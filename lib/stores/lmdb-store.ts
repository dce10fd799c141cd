import { AsyncResource } from "node:async_hooks";
import { SessionError } from "../errors";
import { isExpired } from "../record/expiry";
import { applyDelta } from "../record/session-delta";
import type { SessionDelta } from "../record/session-delta";
import { endedRecord } from "../record/session-record";
import type { EndedRecord, Ending, SessionRecord } from "../record/session-record";
import { clearTable } from "./lmdb-clearing";
import { findInTable } from "./lmdb-finding";
import { LmdbFolder } from "./lmdb-folder";
import { LmdbUpdates } from "./lmdb-updates";
import type { Latest } from "./lmdb-updates";
import { tallyFolder } from "./lmdb-tally";
import type { ClearProgress, FindQuery, SessionStore, SessionTally, StoreOptions } from "./store";

export interface LmdbStoreOptions extends StoreOptions {
  /** The folder of the session files; where it is missing it is made, for this user only. Default `./.sessions`. */
  readonly path?: string;
}

/** How often a write is tried that other processes come before, each time with a change of the same record. Then it is made alone. */
const ATTEMPTS = 8;

/** What `mutate` does with a record that has expired: nothing, and there is nothing to answer. */
const EXPIRED = Symbol("expired");

/**
 * Keeps sessions in a folder on this machine, in LMDB; all processes of the machine may use the same folder at once.
 * The constructor throws `SESSION_STORE` where the folder can't be opened.
 *
 * Loads are synchronous. What is written is on disk when it resolves.
 */
export class LmdbStore implements SessionStore {
  readonly #folder: LmdbFolder;
  readonly #updates: LmdbUpdates;
  readonly #now: () => number;

  constructor(options: LmdbStoreOptions = {}) {
    this.#folder = new LmdbFolder(options.path ?? "./.sessions");
    this.#updates = new LmdbUpdates(this.#folder);
    this.#now = options.now ?? Date.now;
  }

  load(id: string): SessionRecord | undefined {
    this.#folder.loading();
    return this.#folder.read(() => this.#folder.live.readAgain(id))?.record;
  }

  create(record: SessionRecord): Promise<void> {
    return this.#folder.writing(async () => {
      const { live } = this.#folder;
      const insert = live.insertion(record);
      const created = await this.#folder.committed(() => live.records.ifNoExists(record.id, insert));
      if (!created) throw alreadyStored(record.id);
    });
  }

  update(id: string, delta: SessionDelta): Promise<boolean> {
    return this.#folder.writing(() => this.#update(id, delta, this.#updates.likely(id), ATTEMPTS));
  }

  mutate(id: string, change: (record: SessionRecord) => SessionDelta | undefined): Promise<SessionRecord | undefined> {
    return this.#folder.writing(() =>
      this.#change(id, (record) => (isExpired(record, this.#now()) ? EXPIRED : change(record))),
    );
  }

  replace(oldId: string, ending: Ending, record: SessionRecord): Promise<boolean> {
    const alone = (old: SessionRecord) => {
      if (this.#folder.read(() => this.#folder.live.read(record.id)) !== undefined) throw alreadyStored(record.id);
      const end = this.#ending(old, ending);
      const insert = this.#folder.live.insertion(record);
      end();
      insert();
    };
    return this.#folder.writing(() => this.#untilWritten(oldId, (old) => this.#replace(old, ending, record), alone));
  }

  end(id: string, ending: Ending): Promise<boolean> {
    const write = (live: Latest) => {
      const end = this.#ending(live.record, ending);
      return this.#folder.committed(() => this.#folder.live.records.ifVersion(id, live.version, end));
    };
    return this.#folder.writing(() => this.#untilWritten(id, write, (live) => this.#ending(live, ending)()));
  }

  async *find(query: FindQuery): AsyncGenerator<SessionRecord | EndedRecord> {
    if (query.state === "live") yield* findInTable(this.#folder, this.#folder.live, query);
    else yield* findInTable(this.#folder, this.#folder.ended, query);
  }

  async tally(now: number): Promise<readonly SessionTally[]> {
    return tallyFolder(this.#folder, now);
  }

  async clear(now: number, onProgress?: ClearProgress): Promise<number> {
    let cleared = 0;
    for (const pages of [
      clearTable(this.#folder, this.#folder.live, now),
      clearTable(this.#folder, this.#folder.ended, now),
    ]) {
      for await (const count of pages) {
        cleared += count;
        onProgress?.(cleared);
      }
    }
    return cleared;
  }

  close(): Promise<void> {
    return this.#folder.close();
  }

  /** What `#change` does where there is nothing to decide; without its `await`s, because most writes are updates. */
  #update(id: string, delta: SessionDelta, base: Latest | undefined, attempts: number): Promise<boolean> {
    if (base === undefined) return Promise.resolve(false);
    if (attempts === 0) return this.#updates.alone(id, (record) => applyDelta(record, delta));
    return this.#updates
      .rewrite(base, applyDelta(base.record, delta))
      .then((written) => written || this.#update(id, delta, this.#updates.latest(id), attempts - 1));
  }

  async #change(
    id: string,
    decide: (record: SessionRecord) => SessionDelta | typeof EXPIRED | undefined,
  ): Promise<SessionRecord | undefined> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const latest = this.#updates.latest(id);
      if (latest === undefined) return undefined;
      const decided = attempted(() => decide(latest.record));
      if (decided.value instanceof Object) {
        const changed = applyDelta(latest.record, decided.value);
        if (await this.#updates.rewrite(latest, changed)) return changed;
      } else if (latest.underWay === undefined || (await latest.underWay.written)) {
        // Only now is it sure that the record is what was decided upon.
        if (decided.thrown !== undefined) throw decided.thrown.error;
        return decided.value === EXPIRED ? undefined : latest.record;
      }
    }
    let answer: SessionRecord | undefined;
    const decideHere = AsyncResource.bind(decide);
    await this.#updates.alone(id, (record) => {
      const decided = decideHere(record);
      const changed = decided instanceof Object ? applyDelta(record, decided) : undefined;
      answer = decided === EXPIRED ? undefined : (changed ?? record);
      return changed;
    });
    return answer;
  }

  async #replace(old: Latest, ending: Ending, record: SessionRecord): Promise<boolean> {
    const { live } = this.#folder;
    const end = this.#ending(old.record, ending);
    const insert = live.insertion(record);
    let ended: Promise<boolean> = Promise.resolve(false);
    const created = this.#folder.committed(() =>
      // This way round: lmdb takes "does not exist" for met even inside a condition that was not.
      live.records.ifNoExists(record.id, () => {
        ended = live.records.ifVersion(old.record.id, old.version, () => {
          end();
          insert();
        });
        // Where the commit fails, both reject, and only the other one is awaited.
        ended.catch(() => undefined);
      }),
    );
    const isNew = await created;
    const wasLive = await ended;
    if (!isNew) throw alreadyStored(record.id);
    return wasLive;
  }

  /**
   * Tries a write on the latest version of a live record until it is the first to write; `alone` does the same inside a transaction. False where none
   * is live.
   */
  async #untilWritten(
    id: string,
    write: (latest: Latest) => Promise<boolean>,
    alone: (record: SessionRecord) => void,
  ): Promise<boolean> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const latest = this.#updates.latest(id);
      if (latest === undefined) return false;
      if (await write(latest)) return true;
    }
    return this.#folder.alone(() => {
      const live = this.#folder.read(() => this.#folder.live.read(id));
      if (live !== undefined) alone(live.record);
      return live !== undefined;
    });
  }

  #ending(record: SessionRecord, ending: Ending): () => void {
    const { live, ended } = this.#folder;
    const remove = live.removal(record);
    if (ending.purgeAt <= ending.endedAt) return remove;
    const earlier = this.#folder.read(() => ended.readSound(record.id))?.record;
    const insert = ended.insertion(endedRecord(record, ending), earlier);
    return () => {
      remove();
      insert();
    };
  }
}

function attempted<T>(decide: () => T): { value?: T; thrown?: { error: unknown } } {
  try {
    return { value: decide() };
  } catch (error) {
    return { thrown: { error } };
  }
}

function alreadyStored(id: string): SessionError {
  return new SessionError("SESSION_EXISTS", `A session with the id ${id} is stored already.`);
}
