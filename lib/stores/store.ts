import { SessionError } from "../errors";
import type { EndedRecord, Ending, SessionGroup, SessionRecord } from "../record/session-record";
import type { SessionDelta } from "../record/session-delta";

/**
 * Which records `find` returns. The fields given are combined with "and" and match exactly. `live` means a record that
 * was not ended, whether or not it has expired.
 */
export interface FindQuery {
  /** Whether to find live records or ended ones. */
  readonly state: "live" | "ended";
  /** Only the record of this id. */
  readonly id?: string;
  /** Only records of this owner: a user id, or `GUEST_USER`. */
  readonly owner?: string;
  /** Only records of this project. */
  readonly project?: string;
  /** Only records of this scope. */
  readonly scope?: string;
  /** Only records whose id comes after this one, in the order of bytes. */
  readonly after?: string;
  /** How many records the caller is likely to take: a hint to read no more at once. More may come. */
  readonly limit?: number;
  /**
   * After this many records in a row that don't match, a store may yield the last of them all the same, so that the
   * caller sees how far the search has come and may stop. Absent: only records that match.
   */
  readonly progressEvery?: number;
  /**
   * `"header"` where the caller needs only the headers of live records, so that the store need not read what may be
   * large. The `data`, `attributes` and `keys` of such a record may be empty, whatever is stored, so it must never be
   * written back. A record may be found although what was left out is damaged. A store may ignore this. Absent: whole
   * records.
   */
  readonly fields?: "header";
}

/** Whether the fields of a query match a record; its `state` and `id` are for the store to look up. */
export function matches(
  record: SessionRecord | EndedRecord,
  { owner, project, scope, after }: Pick<FindQuery, "owner" | "project" | "scope" | "after">,
): boolean {
  return (
    (owner === undefined || record.owner === owner) &&
    (project === undefined || record.project === project) &&
    (scope === undefined || record.scope === scope) &&
    (after === undefined || record.id > after)
  );
}

/** A live record that can't be read: it is damaged, or of a newer format. */
export interface UnreadableRecord {
  /** The id of the record. */
  readonly id: string;
  /** Empty where that can't be read either. */
  readonly owner: string;
  /** Tells it from a record that can be read. */
  readonly isUnreadable: true;
}

/** Which unreadable records `findUnreadable` returns; all of them where nothing is given. */
export interface UnreadableQuery {
  /** Only the record of this id. */
  readonly id?: string;
  /** Only records of this owner. */
  readonly owner?: string;
}

/** How many live sessions one group has. */
export interface SessionTally extends SessionGroup {
  /** How many of them are live; a few may have expired and not been cleared yet. */
  readonly live: number;
}

/** Called with how many records a clearing has deleted so far. */
export type ClearProgress = (cleared: number) => void;

/**
 * Where sessions are kept.
 *
 * A store sees records and ids, never a request, a token or a plain value. It decides nothing but what is said here:
 * the caller decides, by its own clock, whether a loaded session has expired. Any method may throw or reject; that
 * means "unknown whether it happened" and never "there is no such session".
 *
 * A record is *live* from `create` (or the second half of `replace`) until it is ended or cleared. Once it is not live,
 * nothing brings that id back: every write but `create` only ever changes a live record.
 *
 * `storeContract` in `coatcheck/testing` tests all of this on a store of yours.
 */
export interface SessionStore {
  /**
   * The live record of this id; `undefined` where there is none or it was ended. Rejects with `SESSION_UNREADABLE`
   * where the record is damaged, and with a `NewerFormatError` (`coatcheck/testing`), which has the same code, where a
   * later version of coatcheck wrote it: a damaged session is over for its visitor, one of a newer format is not. An
   * acknowledged write is seen by every later load. A store that has the record at hand returns it without a promise.
   */
  load(id: string): SessionRecord | undefined | Promise<SessionRecord | undefined>;

  /**
   * Inserts a new record. `SESSION_EXISTS` where the id is live already; never an overwrite. Durable when it resolves.
   */
  create(record: SessionRecord): Promise<void>;

  /**
   * Writes what the delta names and nothing else, in one step. False, and nothing written, where the id is not live.
   * Two updates of different keys both stay; of two of the same key, the later one.
   */
  update(id: string, delta: SessionDelta): Promise<boolean>;

  /**
   * Atomic read-modify-write. `change` is given the current record and returns what to change, or `undefined` for
   * nothing. It is called in the asynchronous context of the caller (`AsyncLocalStorage`), may be called again with a
   * newer record, and must have no other effect. Where it throws, nothing is written, and `mutate` rejects with what it
   * threw. Resolves to the record as it is afterwards, or to `undefined` where there is no live record or it has
   * expired by the store's clock. `SESSION_CONFLICT` where the record kept changing during every attempt.
   */
  mutate(id: string, change: (record: SessionRecord) => SessionDelta | undefined): Promise<SessionRecord | undefined>;

  /**
   * Whether `replace` can put a record of this id in the place of one of the other. Where it can't, another id is
   * drawn, so it must be true for one in a few hundred at least. A store that can replace any by any need not have it.
   */
  isPlacedWith?(id: string, oldId: string): boolean;

  /**
   * Ends the old record and creates the new one: both or neither. False, and nothing written, where the old one is not
   * live. Durable when it resolves.
   */
  replace(oldId: string, ending: Ending, record: SessionRecord): Promise<boolean>;

  /**
   * Ends a record: from now on it is not live, its data are gone, and who, when and why are kept until clearing takes
   * them, after `ending.purgeAt`; where that is not later than `ending.endedAt`, nothing is kept. True for exactly one
   * caller; false where the id is not live. Durable when it resolves. It also ends a record that can't be read, of
   * which nothing need be kept.
   */
  end(id: string, ending: Ending): Promise<boolean>;

  /**
   * Streams the records that match, in the order of their ids' bytes. Writes that were acknowledged before the call are
   * seen; later ones may or may not be. Unreadable records are passed over. Leaving the loop early frees what the query
   * uses.
   *
   * A kill relies on this: a query for headers that finds nothing has missed no session that was replaced while it ran.
   * A store that reads in pages need guarantee it for the first page only, which must hold at least 250 records of one
   * owner. Everyone's may need more pages, so a kill of everyone also asks for the tally.
   */
  find(query: FindQuery): AsyncIterable<SessionRecord | EndedRecord>;

  /**
   * Streams the live records that `find` passes over because they can't be read, so that they can be ended; those of an
   * owner only where the owner can be read. A store in which nothing is ever unreadable need not have it.
   */
  findUnreadable?(query: UnreadableQuery): AsyncIterable<UnreadableRecord>;

  /**
   * Counts the live records whose `expiresAt` is later than `now`, by group, without reading them; those that expired
   * up to ten minutes before may be counted too. Where `find` reads everyone's headers in pages, this must miss no
   * session that is replaced while it counts. An empty group may be left out. Names may be compared and returned by
   * their first 64 characters alone.
   */
  tally(now: number): Promise<readonly SessionTally[]>;

  /**
   * Deletes every record, live or ended, whose `purgeAt` was more than five minutes before `now` (`CLEAR_GRACE_MS`),
   * unless it was changed meanwhile. Safe on many machines at once. Resolves to the number that this call deleted.
   */
  clear(now: number, onProgress?: ClearProgress): Promise<number>;

  /**
   * Waits for writes under way and releases everything. Later calls reject with `SESSION_CLOSED`; closing twice is
   * fine.
   */
  close(): Promise<void>;
}

/** Creates a record, unless its id is live already: then false. */
export async function isCreated(store: Pick<SessionStore, "create">, record: SessionRecord): Promise<boolean> {
  try {
    await store.create(record);
    return true;
  } catch (error) {
    if (error instanceof SessionError && error.code === "SESSION_EXISTS") return false;
    throw error;
  }
}

// What stores of ours have in common.

/** How many headers of one owner are read in one step, as the contract of `find` asks. */
export const OWNER_HEADERS_AT_ONCE = 250;

export function alreadyStored(id: string): SessionError {
  return new SessionError("SESSION_EXISTS", `A session with the id ${id} is stored already.`);
}

/** `store` is the name of its class. */
export function closedError(store: string): SessionError {
  return new SessionError("SESSION_CLOSED", `This ${store} was closed; make a new one.`);
}
