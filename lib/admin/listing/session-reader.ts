import { SessionError } from "../../errors";
import { isEnded } from "../../record/session-record";
import type { EndedRecord, SessionRecord } from "../../record/session-record";
import type { FindQuery } from "../../stores/store";
import { isTrue } from "../is-true";
import { cursorText, readCursor } from "./session-cursor";
import type { ListedState, SessionCursor } from "./session-cursor";
import { assertFilter, passes, queryFor } from "./session-filter";
import type { SessionFilter } from "./session-filter";
import { endOf, sessionInfo } from "./session-info";
import type { SessionInfo, StoredSessionInfo, UnwrittenBytes } from "./session-info";

/** One page of a listing: an array, with the cursor of the next page. */
export interface SessionPage extends Array<SessionInfo> {
  /** What to give as `after` for the next page; undefined where this is the last one. */
  readonly next: string | undefined;
}

/** Tells whether the user of a live session is authorized; may be async. */
export type IsAuthorized = (session: StoredSessionInfo) => boolean | Promise<boolean>;

/** What a reader reads from. */
export interface SessionSource {
  readonly store: {
    load(id: string): SessionRecord | undefined | Promise<SessionRecord | undefined>;
    find(query: FindQuery): AsyncIterable<SessionRecord | EndedRecord>;
  };
  readonly now: () => number;
  readonly isAuthorized: IsAuthorized;
  /** What this process has counted of a session and not written yet. */
  readonly unwrittenBytes: (id: string) => UnwrittenBytes | undefined;
}

type AnyRecord = SessionRecord | EndedRecord;

/** How many records that do not match a page looks at before it is answered as it is. */
const LONGEST_SEARCH = 5_000;
/** How often a store tells how far it has come among records that do not match. */
const PROGRESS_EVERY = 100;

/** Tells what is known of sessions. */
export class SessionReader {
  readonly #source: SessionSource;

  constructor(source: SessionSource) {
    this.#source = source;
  }

  /** What is told of a record. Rejects with what `isAuthorized` throws. */
  async info(record: AnyRecord): Promise<SessionInfo> {
    const { now, isAuthorized, unwrittenBytes } = this.#source;
    const info = sessionInfo(record, now(), unwrittenBytes(record.id));
    return { ...info, authorized: info.endedAt === null && (await isTrue("isAuthorized", isAuthorized(info))) };
  }

  /** The record of a session, live or over, as long as it is remembered. */
  async record(id: string): Promise<AnyRecord | undefined> {
    const { store } = this.#source;
    const live = await store.load(id);
    if (live !== undefined) return this.#isRemembered(live) ? live : undefined;
    for await (const ended of store.find({ state: "ended", id })) if (this.#isRemembered(ended)) return ended;
    return undefined;
  }

  /** Rejects with `SESSION_NOT_FOUND`. */
  async get(id: string): Promise<SessionInfo> {
    const record = await this.record(id);
    if (record !== undefined) return this.info(record);
    // Without the id: what was given instead may be a token.
    throw new SessionError("SESSION_NOT_FOUND", "There is no session with this id, and none that ended lately.");
  }

  /** Rejects with `SESSION_ARGUMENT` where this is no filter, or `after` no cursor of such a listing. */
  async page(filter: SessionFilter): Promise<SessionPage> {
    assertFilter(filter);
    const { limit = Infinity } = filter;
    const found: AnyRecord[] = [];
    let last: SessionCursor | undefined;
    let isMore = false;
    let passedOver = 0;
    for await (const { record, state, looked } of this.#walk(filter)) {
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
   * Of those that were ended and are remembered, up to `most`, in no order of time. What has only expired is not among them: to find that, a
   * store would have to look through the live ones.
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

  /** All that pass, one by one, however many there are; `limit` ends it. `SESSION_ARGUMENT` where this is no filter. */
  async *each(filter: SessionFilter): AsyncGenerator<SessionInfo> {
    assertFilter(filter);
    let left = filter.limit ?? Infinity;
    for await (const { record, looked } of this.#walk(filter)) {
      if (looked > 0) continue;
      yield await this.info(record);
      if ((left -= 1) <= 0) return;
    }
  }

  /** The records that pass, and, of those that do not, how many were looked at since. */
  async *#walk(filter: SessionFilter): AsyncGenerator<{ record: AnyRecord; state: ListedState; looked: number }> {
    const states: readonly ListedState[] = (filter.live ?? true) ? ["live"] : ["ended", "expired"];
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

  /** 0 for a record that is listed; otherwise how many the store has looked at for it. */
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
