import { isExpired } from "../record/expiry";
import { GUEST_USER, isEnded } from "../record/session-record";
import type { EndedRecord, SessionRecord } from "../record/session-record";
import { OWNER_HEADERS_AT_ONCE } from "../stores/store";
import type { FindQuery, SessionTally, UnreadableRecord } from "../stores/store";
import type { KillResult, KillSource } from "./kill-loop";

/** A live session that is to be ended; of one that can't be read there is only this much. */
export type KillTarget = SessionRecord | UnreadableRecord;

/** Whose sessions are to be ended; everyone's where no owner is given. */
export interface KillQuery {
  readonly owner?: string;
  /** The id of a session that stays. */
  readonly spared?: string | undefined;
}

/** The part of a store in which a kill finds sessions. */
export interface KillStore {
  find(query: FindQuery): AsyncIterable<SessionRecord | EndedRecord>;
  findUnreadable(query: { readonly id?: string; readonly owner?: string }): AsyncIterable<UnreadableRecord>;
  tally(now: number): Promise<readonly SessionTally[]>;
}

/** A store's tally may count sessions that expired less than this long ago, in milliseconds. */
const TALLIED_MS = 10 * 60_000;

type Ends = (target: KillTarget) => Promise<KillResult>;

/** The sessions that can be read. */
export class ReadableTargets implements KillSource<KillTarget> {
  readonly kill: Ends;
  readonly #store: KillStore;
  readonly #query: KillQuery;
  readonly #now: () => number;
  /** How many records the last query has read. */
  #read = 0;
  #hasTally = true;

  constructor(store: KillStore, query: KillQuery, now: () => number, kill: Ends) {
    this.#store = store;
    this.#query = query;
    this.#now = now;
    this.kill = kill;
  }

  async *find(): AsyncGenerator<SessionRecord> {
    const { owner, spared } = this.#query;
    this.#read = 0;
    for await (const record of this.#store.find({ state: "live", fields: "header", ...ownerOnly(owner) })) {
      this.#read += 1;
      // What expired longer ago is over whatever the clock of an instance says. It keeps its reason.
      if (isEnded(record) || isExpired(record, this.#now() - TALLIED_MS) || record.id === spared) continue;
      yield record;
    }
  }

  /**
   * Queries may read in pages. A session that is replaced over and over may be on none of them: its next id may always
   * lie behind the search. The store's tally tells, and where there is none of this owner, the number of records does.
   */
  async mayHaveOverlooked(): Promise<boolean> {
    const { owner, spared } = this.#query;
    if (owner !== undefined && owner !== GUEST_USER) return this.#read >= OWNER_HEADERS_AT_ONCE;
    const tallies = await this.#tally();
    const counted = tallies?.filter(({ isGuest }) => owner === undefined || isGuest);
    const live = counted?.reduce((sum, tally) => sum + tally.live, 0);
    return live === undefined || live > (spared === undefined ? 0 : 1);
  }

  /**
   * Undefined where counting fails: in a table of many millions it may take too long, and Datastore's index for it may
   * be left out. Where the store is down, the next query fails too.
   */
  async #tally(): Promise<readonly SessionTally[] | undefined> {
    if (!this.#hasTally) return undefined;
    try {
      return await this.#store.tally(this.#now());
    } catch {
      this.#hasTally = false;
      return undefined;
    }
  }
}

/** The sessions that can't be read: they are damaged, or of a newer format. */
export class UnreadableTargets implements KillSource<KillTarget> {
  readonly kill: Ends;
  readonly #store: KillStore;
  readonly #query: KillQuery;

  constructor(store: KillStore, query: KillQuery, kill: Ends) {
    this.#store = store;
    this.#query = query;
    this.kill = kill;
  }

  find(): AsyncIterable<UnreadableRecord> {
    return this.#store.findUnreadable(ownerOnly(this.#query.owner));
  }

  async mayHaveOverlooked(): Promise<boolean> {
    return false;
  }
}

function ownerOnly(owner: string | undefined): { readonly owner?: string } {
  return owner === undefined ? {} : { owner };
}
