import { isExpired } from "../record/expiry";
import { CLIENTLESS_SCOPE, isEnded } from "../record/session-record";
import type { EndedRecord, SessionRecord } from "../record/session-record";
import type { FindQuery } from "../stores/store";

/** What ends the sessions over a limit. */
export interface LimitedStore {
  readonly find: (query: FindQuery) => AsyncIterable<SessionRecord | EndedRecord>;
  /** Ends one for the reason `limit`. */
  readonly end: (record: SessionRecord) => Promise<unknown>;
  readonly now: () => number;
}

/**
 * Ends the oldest sessions of the user of `latest`, in its project, so that `max` stay. Every login calls it once its own session is
 * stored, so the last of many sees them all; and as all order them alike, none ends one that another counts among those that stay.
 * Sessions without a client are no logins, and are left out. `spared` is the id of a session that was there before it was signed in: it may
 * be the oldest, and whoever has signed in just now must not be signed out by it.
 */
export async function endOldest(
  store: LimitedStore,
  { owner, project }: Pick<SessionRecord, "owner" | "project">,
  max: number,
  spared?: string,
): Promise<void> {
  const live: SessionRecord[] = [];
  for await (const record of store.find({ state: "live", owner, project, fields: "header" })) {
    if (!isEnded(record) && !isExpired(record, store.now()) && record.scope !== CLIENTLESS_SCOPE) live.push(record);
  }
  const oldest = live.sort((a, b) => Number(b.id === spared) - Number(a.id === spared) || newestFirst(a, b)).slice(max);
  await Promise.all(oldest.map((record) => store.end(record)));
}

function newestFirst(a: SessionRecord, b: SessionRecord): number {
  return b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1);
}
