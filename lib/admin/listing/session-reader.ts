import { SessionError, isUnreadable } from "../../errors";
import { isSessionId } from "../../record/token";
import { isEnded } from "../../record/session-record";
import type { EndedRecord, SessionRecord } from "../../record/session-record";
import type { FindQuery } from "../../stores/store";
import { endedNotice } from "../ended-notice";
import type { EndedNotice } from "../ended-notice";
import { assertFilter, passes, queryFor } from "./session-filter";
import type { SessionFilter } from "./session-filter";
import { describeSession, endOf, sessionInfo } from "./session-info";
import type { SessionDescription, SessionInfo, StoredSessionInfo, UnwrittenBytes } from "./session-info";

/** One page of a listing: an array with the cursor of the next page. */
export interface SessionPage extends Array<SessionInfo> {
  /** The `after` of the next page; undefined on the last one. */
  readonly next: string | undefined;
}

/** Whether the user of a live session is authorized; may be async. */
export type IsAuthorized = (session: StoredSessionInfo) => boolean | Promise<boolean>;

/** What a reader works with. */
export interface SessionSource {
  readonly store: {
    load(id: string): SessionRecord | undefined | Promise<SessionRecord | undefined>;
    find(query: FindQuery): AsyncIterable<SessionRecord | EndedRecord>;
  };
  readonly now: () => number;
  readonly isAuthorized: IsAuthorized;
  /** The bytes that this process has counted for a session and not yet written. */
  readonly unwrittenBytes: (id: string) => UnwrittenBytes | undefined;
}

/** The records that a listing reads: live ones, ended ones, or live ones that have expired and are not cleared. */
export type ListedState = "live" | "ended" | "expired";

/** Where a page of a listing ends. */
export interface SessionCursor {
  readonly state: ListedState;
  /** The last id that was read. */
  readonly id: string;
}

export type AnyRecord = SessionRecord | EndedRecord;

/** A record on the way through the store. */
export interface Step extends Pick<SessionCursor, "state"> {
  readonly record: AnyRecord;
  /** 0 for one that matches; otherwise how many were read that don't. */
  readonly looked: number;
}

/** How many records that don't match are read for one page before it is returned as it is. */
const LONGEST_SEARCH = 5_000;
/** A store reports progress after this many records that don't match. */
const PROGRESS_EVERY = 100;

/** Reads sessions, one or many, as `SessionInfo`. */
export class SessionReader {
  readonly #source: SessionSource;

  constructor(source: SessionSource) {
    this.#source = source;
  }

  /** The info about a record. Rejects with what `isAuthorized` throws. */
  async info(record: AnyRecord): Promise<SessionInfo> {
    const { now, isAuthorized, unwrittenBytes } = this.#source;
    const info = sessionInfo(record, now(), unwrittenBytes(record.id));
    return { ...info, authorized: info.endedAt === null && (await isTrue("isAuthorized", isAuthorized(info))) };
  }

  /** The record of a session, live or over, until its `purgeAt`. */
  async record(id: string): Promise<AnyRecord | undefined> {
    const { store } = this.#source;
    const live = await store.load(id);
    if (live !== undefined) return this.#isRemembered(live) ? live : undefined;
    for await (const ended of store.find({ state: "ended", id })) if (this.#isRemembered(ended)) return ended;
    return undefined;
  }

  /**
   * The notice about the first of these sessions of the project that is remembered; undefined where it is live, or
   * where there is none.
   */
  async endedNotice(ids: readonly string[], project: string): Promise<EndedNotice | undefined> {
    for (const id of ids) {
      const record = await this.record(id).catch(unlessUnreadable);
      if (record?.project === project) return endedNotice(record, this.#source.now());
    }
    return undefined;
  }

  /** Rejects with `SESSION_NOT_FOUND` where there is none. */
  async get(id: string): Promise<SessionInfo> {
    return this.info(await this.#known(id));
  }

  /** A session with the names and sizes of what is in it. Rejects with `SESSION_NOT_FOUND` where there is none. */
  async describe(id: string): Promise<SessionDescription> {
    const record = await this.#known(id);
    return describeSession(record, await this.info(record), this.#source.now());
  }

  /** One page of the sessions that match. Rejects with `SESSION_ARGUMENT` for a wrong filter or cursor. */
  async page(filter: SessionFilter): Promise<SessionPage> {
    assertFilter(filter);
    const { limit = Infinity } = filter;
    const found: AnyRecord[] = [];
    let last: SessionCursor | undefined;
    let isMore = false;
    let passedOver = 0;
    for await (const { record, state, looked } of this.walk(filter)) {
      if (looked > 0) {
        passedOver += looked;
        if (passedOver < LONGEST_SEARCH || limit === Infinity) continue;
        last = { state, id: record.id };
      }
      isMore = looked > 0 || found.length === limit;
      if (isMore) break;
      found.push(record);
      last = { state, id: record.id };
    }
    const infos: SessionInfo[] = [];
    for (const record of found) infos.push(await this.info(record));
    return Object.assign(infos, { next: isMore && last !== undefined ? cursorText(last) : undefined });
  }

  /**
   * Up to `most` sessions that were ended and not yet purged, in no particular order. Sessions that only expired are
   * left out: to find them, a store would have to read through the live ones.
   */
  async lately(most: number): Promise<SessionPage> {
    const infos: SessionInfo[] = [];
    let last: string | undefined;
    let looked = 0;
    for await (const record of this.#source.store.find({ state: "ended", limit: most + 1 })) {
      if ((looked += 1) > most) break;
      last = record.id;
      if (this.#isRemembered(record)) infos.push(await this.info(record));
    }
    const next = looked > most && last !== undefined ? cursorText({ state: "ended", id: last }) : undefined;
    return Object.assign(infos, { next });
  }

  /** All sessions that match, one by one, up to `limit`. Throws `SESSION_ARGUMENT` for a wrong filter. */
  async *each(filter: SessionFilter): AsyncGenerator<SessionInfo> {
    assertFilter(filter);
    let left = filter.limit ?? Infinity;
    for await (const { record, looked } of this.walk(filter)) {
      if (looked > 0) continue;
      yield await this.info(record);
      if ((left -= 1) <= 0) return;
    }
  }

  async #known(id: string): Promise<AnyRecord> {
    const record = await this.record(id);
    if (record !== undefined) return record;
    // Without the id: what was given may be a token.
    throw new SessionError("SESSION_NOT_FOUND", "There is no session with this id, and none that ended lately.");
  }

  /** The info about a record, without asking the app whether its user is authorized. */
  stored(record: AnyRecord): StoredSessionInfo {
    return sessionInfo(record, this.#source.now(), this.#source.unwrittenBytes(record.id));
  }

  /** Matching records, with `looked` 0, and between them reports of how many others were read. */
  async *walk(filter: SessionFilter): AsyncGenerator<Step> {
    const states = listedStates(filter);
    const from = filter.after === undefined ? undefined : readCursor(filter.after, states);
    const query = { ...queryFor(filter), fields: "header", progressEvery: PROGRESS_EVERY } as const;
    const hint = filter.limit === undefined ? {} : { limit: filter.limit + 1 };
    for (const state of states.slice(from === undefined ? 0 : states.indexOf(from.state))) {
      const after = from?.state === state ? { after: from.id } : {};
      const found = this.#source.store.find({
        ...{ ...query, ...after, ...hint },
        state: state === "ended" ? "ended" : "live",
      });
      for await (const record of found) yield { record, state, looked: this.#looked(record, state, filter) };
    }
  }

  /** 0 for a record to list; otherwise how many records the store has read for this report. */
  #looked(record: AnyRecord, state: ListedState, filter: SessionFilter): number {
    const { now } = this.#source;
    const { owner, project, scope } = queryFor(filter);
    const isAsked =
      (owner ?? record.owner) === record.owner &&
      (project ?? record.project) === record.project &&
      (scope ?? record.scope) === record.scope;
    if (!isAsked) return PROGRESS_EVERY;
    const isOver = endOf(record, now()) !== undefined;
    const isListed = isOver === (state !== "live") && this.#isRemembered(record);
    return isListed && passes(sessionInfo(record, now()), filter) ? 0 : 1;
  }

  #isRemembered(record: AnyRecord): boolean {
    return isEnded(record) || endOf(record, this.#source.now()) !== undefined
      ? record.purgeAt > this.#source.now()
      : true;
  }
}

/**
 * What an app's callback returned. Throws `SESSION_CONFIG` for anything but a boolean: a truthy value returned by
 * mistake must not let everyone in.
 */
export async function isTrue(option: string, answer: boolean | Promise<boolean>): Promise<boolean> {
  const isIt: unknown = await answer;
  if (typeof isIt === "boolean") return isIt;
  throw new SessionError(
    "SESSION_CONFIG",
    `Option ${option}: its function must return true or false, not ${typeof isIt}.`,
  );
}

/** The states that a listing goes through, one after the other. */
export function listedStates({ live = true }: Pick<SessionFilter, "live">): readonly ListedState[] {
  return live ? ["live"] : ["ended", "expired"];
}

/** A cursor as an app passes it on. */
export function cursorText({ state, id }: SessionCursor): string {
  return `${state}.${id}`;
}

/** Reads a cursor of a listing of these states. Throws `SESSION_ARGUMENT` for any other text. */
function readCursor(text: string, states: readonly ListedState[]): SessionCursor {
  const [name, id, rest] = text.split(".", 3);
  const state = states.find((one) => one === name);
  if (state !== undefined && isSessionId(id) && rest === undefined) return { state, id };
  throw new SessionError(
    "SESSION_ARGUMENT",
    "getSessionInfo: after must be the `next` of a page with the same `live`; leave it out for the first page.",
  );
}

function unlessUnreadable(error: unknown): undefined {
  if (!isUnreadable(error)) throw error;
}
