import { SessionError } from "../errors";

/** What became of a session that was to be ended; `over` without this kill, or `replaced` by another session. */
export type KillResult = "killed" | "over" | "replaced";

/** Sessions that are to be ended. */
export interface KillSource<T extends { readonly id: string }> {
  /** The live ones, from the beginning each time. */
  find(): AsyncIterable<T>;
  kill(target: T): Promise<KillResult>;
  /** Asked after a `find` that found none: whether it may have overlooked some. */
  mayHaveOverlooked(): Promise<boolean>;
}

/** How many sessions are ended at a time. */
const CONCURRENCY = 128;
/** After how many rounds in a row that met no replaced session a kill has ended all that were there before. */
const CLEAN_ROUNDS = 10;
/** How many rounds in a row may meet a session that the round before could not end either. */
const STUCK_ROUNDS = 10;
const MOST_ROUNDS = 1_000;
/** How many of the sessions that it could not end a round remembers. */
const MAX_REMEMBERED = 1_000;

/**
 * Ends the sessions of one source after the other. Asks each again until a whole query finds none; where new sessions
 * begin all the time, until ten queries in a row have met none that was replaced before it could be ended. Resolves to
 * how many were killed. Where it fails, the error's `ended` is that number, and its message says that others are still
 * live.
 */
export async function killLoop<T extends { readonly id: string }>(sources: readonly KillSource<T>[]): Promise<number> {
  const count = { killed: 0 };
  try {
    for (const source of sources) await killUntilNoneIsLeft(source, count);
  } catch (error) {
    throw unfinishedKill(error, count.killed);
  }
  return count.killed;
}

/** The error of a kill that failed after it had ended this many sessions. */
export function unfinishedKill(error: unknown, ended: number): unknown {
  if (!(error instanceof SessionError)) return error;
  const count = ended === 1 ? "1 session was ended" : `${ended} sessions were ended`;
  const message = `${count}, then the kill failed, and others are still live; call it again. ${error.message}`;
  return new SessionError(error.code, message, { cause: error, ended });
}

async function killUntilNoneIsLeft<T extends { readonly id: string }>(
  source: KillSource<T>,
  count: { killed: number },
): Promise<void> {
  let [clean, stuck] = [0, 0];
  let previous: ReadonlySet<string> = new Set();
  for (let round = 0; round < MOST_ROUNDS && stuck < STUCK_ROUNDS; round += 1) {
    const { found, replaced } = await killRound(source, count);
    if (found === 0 && !(await source.mayHaveOverlooked())) return;
    clean = replaced.size === 0 ? clean + 1 : 0;
    if (clean === CLEAN_ROUNDS) return;
    stuck = [...replaced].some((id) => previous.has(id)) ? stuck + 1 : 0;
    previous = replaced;
  }
  throw new SessionError("SESSION_CONFLICT", "The store keeps finding live sessions that this kill can't end.");
}

interface KillRound {
  readonly found: number;
  /** The ids of those that were replaced before they could be ended, or of as many as are remembered. */
  readonly replaced: ReadonlySet<string>;
}

/** One whole query. What it ends is counted in `count` at once. */
async function killRound<T extends { readonly id: string }>(
  source: KillSource<T>,
  count: { killed: number },
): Promise<KillRound> {
  const underWay = new Set<Promise<void>>();
  const failures: unknown[] = [];
  const replaced = new Set<string>();
  let found = 0;
  const kill = async (target: T) => {
    const result = await source.kill(target);
    if (result === "killed") count.killed += 1;
    else if (result === "replaced" && replaced.size < MAX_REMEMBERED) replaced.add(target.id);
  };
  try {
    for await (const target of source.find()) {
      if (failures.length > 0) break;
      found += 1;
      // A failure is kept for later: nothing awaits this promise while the query goes on.
      const killing = kill(target)
        .catch((error: unknown) => void failures.push(error))
        .then(() => void underWay.delete(killing));
      underWay.add(killing);
      if (underWay.size >= CONCURRENCY) await Promise.race(underWay);
    }
  } finally {
    // Also where the query has failed: what was ended meanwhile counts.
    await Promise.all(underWay);
  }
  if (failures.length > 0) throw failures[0];
  return { found, replaced };
}
