import { SessionError } from "../errors";
import { CLEAR_GRACE_MS, isExpired } from "../record/expiry";
import { isEnded } from "../record/session-record";
import type { EndedRecord, SessionRecord } from "../record/session-record";
import type { FindQuery, UnreadableRecord } from "../stores/store";

/** A live session that is to be ended; of one that can't be read there is only this much. */
export type KillTarget = SessionRecord | UnreadableRecord;

/** Where sessions are found, and what ends them. */
export interface KillSource {
  find(query: FindQuery): AsyncIterable<SessionRecord | EndedRecord>;
  findUnreadable(query: { readonly owner?: string }): AsyncIterable<UnreadableRecord>;
  /** Whether this call ended it. */
  kill(target: KillTarget): Promise<boolean>;
  now(): number;
}

/** Whose sessions are to be ended; everyone's where no owner is given. */
export interface KillQuery {
  readonly owner?: string;
  /** The id of a session that stays. */
  readonly spared?: string | undefined;
}

/** How many sessions are ended at a time. */
const KILL_CONCURRENCY = 128;
/** How many whole queries in a row may find sessions of which none is ended here, before giving up. */
const MAX_FRUITLESS_ROUNDS = 10;

/**
 * Ends all sessions that are found, and asks again until a whole query finds none. Resolves to how many it ended. Where
 * it fails, the error's `ended` is that number, and its message says that others are still live.
 */
export async function killLoop(source: KillSource, query: KillQuery): Promise<number> {
  const count = { ended: 0 };
  try {
    for (let fruitless = 0; fruitless < MAX_FRUITLESS_ROUNDS; fruitless += 1) {
      const before = count.ended;
      if ((await killRound(source, query, count)) === 0) return count.ended;
      if (count.ended > before) fruitless = -1;
    }
  } catch (error) {
    throw unfinishedKill(error, count.ended);
  }
  throw unfinishedKill(
    new SessionError("SESSION_CONFLICT", "The store keeps finding live sessions that this kill can't end."),
    count.ended,
  );
}

/** The error of a kill that failed after it had ended this many sessions. */
export function unfinishedKill(error: unknown, ended: number): unknown {
  if (!(error instanceof SessionError)) return error;
  const count = ended === 1 ? "1 session was ended" : `${ended} sessions were ended`;
  const message = `${count}, then the kill failed, and others are still live; call it again. ${error.message}`;
  return new SessionError(error.code, message, { cause: error, ended });
}

/** One whole query; resolves to how many it found. */
async function killRound(source: KillSource, query: KillQuery, count: { ended: number }): Promise<number> {
  const underWay = new Set<Promise<void>>();
  const failures: unknown[] = [];
  let found = 0;
  try {
    for await (const target of targets(source, query)) {
      if (failures.length > 0) break;
      found += 1;
      // A failure is kept for later: nothing awaits this promise while the query goes on.
      const killing = source
        .kill(target)
        .then(
          (isKilled) => void (count.ended += isKilled ? 1 : 0),
          (error: unknown) => void failures.push(error),
        )
        .then(() => void underWay.delete(killing));
      underWay.add(killing);
      if (underWay.size >= KILL_CONCURRENCY) await Promise.race(underWay);
    }
  } finally {
    // Also where the query has failed: what was ended meanwhile counts.
    await Promise.all(underWay);
  }
  if (failures.length > 0) throw failures[0];
  return found;
}

/** Sessions that can't be read come last: they are found only by reading all sessions, and by then few are left. */
async function* targets(source: KillSource, { owner, spared }: KillQuery): AsyncGenerator<KillTarget> {
  const whose = owner === undefined ? {} : { owner };
  let isAny = false;
  for await (const record of source.find({ state: "live", fields: "header", ...whose })) {
    // What expired longer ago than clocks may differ is over on every instance, and keeps its reason.
    if (isEnded(record) || isExpired(record, source.now() - CLEAR_GRACE_MS) || record.id === spared) continue;
    isAny = true;
    yield record;
  }
  if (!isAny) yield* source.findUnreadable(whose);
}
