import { CLEAR_GRACE_MS, isExpired } from "../record/expiry";
import { GUEST_USER, isEnded } from "../record/session-record";
import type { EndedRecord, SessionRecord } from "../record/session-record";
import type { FindQuery, SessionTally, UnreadableRecord } from "../stores/store";

/** A live session that is to be ended; of one that can't be read there is only this much. */
export type KillTarget = SessionRecord | UnreadableRecord;

/** Whose sessions are to be ended; everyone's where no owner is given. */
export interface KillQuery {
  readonly owner?: string;
  /** The id of a session that stays. */
  readonly spared?: string | undefined;
}

/** Where they are found. */
export interface KillStore {
  find(query: FindQuery): AsyncIterable<SessionRecord | EndedRecord>;
  findUnreadable(query: { readonly id?: string; readonly owner?: string }): AsyncIterable<UnreadableRecord>;
  tally(now: number): Promise<readonly SessionTally[]>;
}

/**
 * The live sessions that a kill ends. Those that can't be read come last: they are found only by reading all sessions,
 * and by then few are left.
 */
export async function* killTargets(
  store: KillStore,
  { owner, spared }: KillQuery,
  now: () => number,
): AsyncGenerator<KillTarget> {
  const whose = owner === undefined ? {} : { owner };
  let isAny = false;
  for await (const record of store.find({ state: "live", fields: "header", ...whose })) {
    // What expired longer ago than clocks may differ is over on every instance, and keeps its reason.
    if (isEnded(record) || isExpired(record, now() - CLEAR_GRACE_MS) || record.id === spared) continue;
    isAny = true;
    yield record;
  }
  if (!isAny) yield* store.findUnreadable(whose);
}

/**
 * Whether the store counts sessions that `killTargets` has not found. A query for everyone's may read in pages, and a
 * session that is replaced again and again may be on none of them: its next id may always lie behind the search. What
 * is counted was live at one moment. What expires within `CLEAR_GRACE_MS` is left out, since sessions that have expired
 * may be counted too.
 */
export async function countsTargets(store: KillStore, { owner }: KillQuery, now: number): Promise<boolean> {
  if (owner !== undefined && owner !== GUEST_USER) return false;
  // A count that takes too long says nothing. Where the store is down, the next query says so.
  const tallies = await store.tally(now + CLEAR_GRACE_MS).catch(() => undefined);
  if (tallies === undefined) return true;
  return tallies.some(({ isGuest, live }) => live > 0 && (owner === undefined || isGuest));
}
