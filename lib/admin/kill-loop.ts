import { SessionError } from "../errors";

/** What a kill ends. */
export interface KillSource<T extends { readonly id: string }> {
  /** The live sessions, from the beginning each time. */
  find(): AsyncIterable<T>;
  /** Whether this call ended it. */
  kill(target: T): Promise<boolean>;
  /** Whether there may be live sessions although a whole `find` has found none. */
  mayHaveMissed(): Promise<boolean>;
}

/** How many sessions are ended at a time. */
const KILL_CONCURRENCY = 128;
/** How many whole queries in a row may find sessions that could not be ended before, before giving up. */
const MAX_STUCK_ROUNDS = 10;
/** How many may find only others, each of which was replaced before it could be ended. */
const MAX_CHASING_ROUNDS = 1_000;
/** How many of the sessions that were not ended a query keeps in mind. */
const MAX_REMEMBERED = 1_000;
/** How many whole queries in a row may find none although some may have been missed, before that is believed. */
const MAX_DOUBTED_ROUNDS = 10;

/**
 * Ends all sessions that are found, and asks again until a whole query finds none. Resolves to how many it ended. Where
 * it fails, the error's `ended` is that number, and its message says that others are still live.
 */
export async function killLoop<T extends { readonly id: string }>(source: KillSource<T>): Promise<number> {
  const count = { ended: 0 };
  let [stuck, chasing, doubted] = [0, 0, 0];
  let before: ReadonlySet<string> = new Set();
  try {
    while (stuck < MAX_STUCK_ROUNDS && chasing < MAX_CHASING_ROUNDS) {
      const { ended } = count;
      const { found, missed } = await killRound(source, count);
      if (found === 0) {
        doubted += 1;
        if (doubted === MAX_DOUBTED_ROUNDS || !(await source.mayHaveMissed())) return count.ended;
        continue;
      }
      doubted = 0;
      const isVain = count.ended === ended;
      chasing = isVain ? chasing + 1 : 0;
      stuck = isVain ? stuck + Number([...missed].some((id) => before.has(id))) : 0;
      before = missed;
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

interface KillRound {
  readonly found: number;
  /** The ids of those that were not ended here, or of as many as are remembered. */
  readonly missed: ReadonlySet<string>;
}

/** One whole query. What it ends is counted in `count` at once. */
async function killRound<T extends { readonly id: string }>(
  source: KillSource<T>,
  count: { ended: number },
): Promise<KillRound> {
  const underWay = new Set<Promise<void>>();
  const failures: unknown[] = [];
  const missed = new Set<string>();
  let found = 0;
  const settled = (id: string, isKilled: boolean) => {
    if (isKilled) count.ended += 1;
    else if (missed.size < MAX_REMEMBERED) missed.add(id);
  };
  try {
    for await (const target of source.find()) {
      if (failures.length > 0) break;
      found += 1;
      // A failure is kept for later: nothing awaits this promise while the query goes on.
      const killing = source
        .kill(target)
        .then(
          (isKilled) => settled(target.id, isKilled),
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
  return { found, missed };
}
