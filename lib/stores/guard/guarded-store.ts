import { CLEARS, LOADS, published, SAVES } from "../../diagnostic-channels";
import type { SaveMessage } from "../../diagnostic-channels";
import { hasExpired, isExpired, sweeping } from "../../record/expiry";
import type { SessionDelta } from "../../record/session-delta";
import { groupOf } from "../../record/session-record";
import type { EndedRecord, Ending, SessionRecord } from "../../record/session-record";
import { isDueTo, started, StoreCalls } from "./store-calls";
import type { ClearProgress, FindQuery, SessionStore, SessionTally, UnreadableQuery, UnreadableRecord } from "../store";

export interface GuardOptions {
  /** How long one store operation may take, in milliseconds. */
  readonly timeoutMs: number;
  /** The clock: milliseconds since the epoch. */
  readonly now: () => number;
  /** Named in the messages of the diagnostics channels. Default `""`. */
  readonly project?: string;
}

/**
 * A store as the rest of the library uses it. Its calls are `StoreCalls`: answered in time, and failing with a
 * SessionError. What this class adds is that nothing is written to a session that is over, and that expired attributes
 * go with the next write; and the messages of the diagnostics channels, where somebody has subscribed.
 */
export class GuardedStore {
  readonly #store: SessionStore;
  readonly #calls: StoreCalls;
  readonly #timeoutMs: number;
  readonly #now: () => number;
  readonly #project: string;

  constructor(store: SessionStore, { timeoutMs, now, project = "" }: GuardOptions) {
    this.#store = store;
    this.#calls = new StoreCalls(timeoutMs);
    this.#timeoutMs = timeoutMs;
    this.#now = now;
    this.#project = project;
  }

  /** An answer that the store has ready comes without a promise. */
  load(id: string): SessionRecord | undefined | Promise<SessionRecord | undefined> {
    return LOADS.hasSubscribers ? this.#publishedLoad(id) : this.#load(id);
  }

  #load(id: string): SessionRecord | undefined | Promise<SessionRecord | undefined> {
    this.#calls.assertOpen();
    const answer = started("load", () => this.#store.load(id));
    return isPromise(answer) ? this.#calls.inTime("load", answer) : answer;
  }

  create(record: SessionRecord): Promise<void> {
    return SAVES.hasSubscribers
      ? this.#saved("create", record.id, performance.now(), this.#create(record))
      : this.#create(record);
  }

  #create(record: SessionRecord): Promise<void> {
    return this.#calls.run("create", () => this.#store.create(record));
  }

  /** Writes a change of the session that was loaded as `record`; false where it is over. */
  write(record: SessionRecord, change: SessionDelta): Promise<boolean> {
    return SAVES.hasSubscribers
      ? this.#saved(isTouch(change) ? "touch" : "update", record.id, performance.now(), this.#write(record, change))
      : this.#write(record, change);
  }

  #write(record: SessionRecord, change: SessionDelta): Promise<boolean> {
    if (mayUpdateUnread(record, this.#now(), this.#timeoutMs)) return this.#update(record, change);
    const delta = counted(record, change);
    return this.#mutate(record.id, () => delta).then((after) => after !== undefined);
  }

  /**
   * Finishes a record that was created unfinished, and so has expired; false where it was ended. It may land late: it
   * renews nothing, and says when the session ends.
   */
  finish(record: SessionRecord, delta: SessionDelta): Promise<boolean> {
    return SAVES.hasSubscribers
      ? this.#saved("update", record.id, performance.now(), this.#update(record, delta))
      : this.#update(record, delta);
  }

  /** Also removes what has expired in the record, with whatever else is written. */
  mutate(id: string, change: (record: SessionRecord) => SessionDelta | undefined): Promise<SessionRecord | undefined> {
    return SAVES.hasSubscribers
      ? this.#saved("update", id, performance.now(), this.#mutate(id, change))
      : this.#mutate(id, change);
  }

  async #mutate(
    id: string,
    change: (record: SessionRecord) => SessionDelta | undefined,
  ): Promise<SessionRecord | undefined> {
    let refusal: { readonly error: unknown } | undefined;
    const swept = (record: SessionRecord) => {
      try {
        const delta = change(record);
        return delta === undefined ? undefined : sweeping(record, delta, this.#now());
      } catch (error) {
        refusal = { error };
        throw error;
      }
    };
    try {
      return await this.#calls.run("mutate", () => this.#store.mutate(id, swept));
    } catch (error) {
      // What `change` threw is the app's own, and not a failure of the store.
      if (refusal !== undefined && isDueTo(error, refusal.error)) throw refusal.error;
      throw error;
    }
  }

  /** Whether `replace` can put a record of this id in the place of one of the other. */
  isPlacedWith(id: string, oldId: string): boolean {
    return this.#store.isPlacedWith?.(id, oldId) ?? true;
  }

  replace(oldId: string, ending: Ending, record: SessionRecord): Promise<boolean> {
    return SAVES.hasSubscribers
      ? this.#saved("replace", record.id, performance.now(), this.#replace(oldId, ending, record))
      : this.#replace(oldId, ending, record);
  }

  #replace(oldId: string, ending: Ending, record: SessionRecord): Promise<boolean> {
    return this.#calls.run("replace", () => this.#store.replace(oldId, ending, record));
  }

  end(id: string, ending: Ending): Promise<boolean> {
    return this.#calls.run("end", () => this.#store.end(id, ending));
  }

  find(query: FindQuery): AsyncGenerator<SessionRecord | EndedRecord> {
    return this.#calls.stream("find", () => this.#store.find(query));
  }

  /** Records that can't be read; none where the store can't tell. */
  async *findUnreadable(query: UnreadableQuery): AsyncGenerator<UnreadableRecord> {
    const store = this.#store;
    if (hasUnreadable(store)) yield* this.#calls.stream("findUnreadable", () => store.findUnreadable(query));
  }

  tally(now: number): Promise<readonly SessionTally[]> {
    return this.#calls.run("tally", () => this.#store.tally(now));
  }

  /** Has no time limit. */
  clear(now: number, onProgress?: ClearProgress): Promise<number> {
    return CLEARS.hasSubscribers ? this.#publishedClear(now, onProgress) : this.#clear(now, onProgress);
  }

  #clear(now: number, onProgress?: ClearProgress): Promise<number> {
    return this.#calls.runUnlimited("clear", () => this.#store.clear(now, onProgress));
  }

  /** Waits for what is under way, for as long as an operation may take, then closes the store. */
  close(): Promise<void> {
    return this.#calls.close(() => this.#store.close());
  }

  #publishedLoad(id: string): SessionRecord | undefined | Promise<SessionRecord | undefined> {
    const done = (record: SessionRecord | undefined) => {
      if (record === undefined) return { outcome: "missing" };
      return { outcome: isExpired(record, this.#now()) ? "expired" : "found" };
    };
    return published(LOADS, { project: this.#project, id }, { done }, () => this.#load(id));
  }

  /**
   * A save that was started at `begunAt`. What the store returns of a session that is over is `false`, or `undefined` in
   * place of its record. (It is given the promise, and no function: a function would be allocated without a subscriber
   * too.)
   */
  async #saved<T>(operation: SaveMessage["operation"], id: string, begunAt: number, result: Promise<T>): Promise<T> {
    const done = (answer: T) => ({ outcome: operation === "create" || Boolean(answer) ? "saved" : "ended" });
    return published(SAVES, { project: this.#project, id, operation }, { done }, () => result, begunAt);
  }

  async #publishedClear(now: number, onProgress?: ClearProgress): Promise<number> {
    let known = 0;
    const progress = (cleared: number) => {
      known = cleared;
      onProgress?.(cleared);
    };
    const done = (cleared: number) => ({ outcome: "done", cleared });
    const failed = () => ({ cleared: known });
    return published(CLEARS, { project: this.#project }, { done, failed }, () => this.#clear(now, progress));
  }

  #update(record: SessionRecord, change: SessionDelta): Promise<boolean> {
    const delta = counted(record, change);
    return this.#calls.run("update", () => this.#store.update(record.id, delta));
  }
}

/** The change, with the group in which the session is counted where a store needs that. */
function counted(record: SessionRecord, change: SessionDelta): SessionDelta {
  return change.expiresAt === undefined ? change : { ...change, group: groupOf(record) };
}

/**
 * Whether a record may be changed by `update`, which does not look at it. A write that could land after the record's
 * end goes through `mutate`, which checks the expiry in the same step (P2, P8). So does one of a record with expired
 * attributes: only by the record as it is in that step can they be told from those that were created anew.
 */
export function mayUpdateUnread(
  { expiresAt, attributes }: Pick<SessionRecord, "expiresAt" | "attributes">,
  now: number,
  timeoutMs: number,
): boolean {
  return now < expiresAt - 2 * timeoutMs && !hasExpired(attributes, now);
}

/** Whether a change renews the session, and has nothing of the app's; what is told of the client may go along. */
function isTouch({ lastSeenAt, owner, data, attributes, keys }: SessionDelta): boolean {
  const others = [owner, data, attributes, keys];
  return lastSeenAt !== undefined && others.every((part) => part === undefined);
}

function hasUnreadable(store: SessionStore): store is SessionStore & Required<Pick<SessionStore, "findUnreadable">> {
  return store.findUnreadable !== undefined;
}

/** Also one of a class, or of a realm, that is not ours. */
function isPromise<T extends object>(answer: T | undefined | Promise<T | undefined>): answer is Promise<T | undefined> {
  return answer !== undefined && "then" in answer;
}
