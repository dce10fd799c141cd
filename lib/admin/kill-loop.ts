import { SessionError } from "../errors";
import { KillRound } from "./kill-round";
import type { KillOutcome, KillSource } from "./kill-round";

export interface KillLoopSource<T extends { readonly id: string }> extends KillSource<T> {
  /** Whether there may be live sessions although a whole `find` has found none. */
  mayHaveMissed(): Promise<boolean>;
  /** Milliseconds since the epoch. */
  now(): number;
}

/** After how many rounds in a row with the same outcome a kill stops. */
const MOST_ROUNDS: Readonly<Record<KillOutcome, number>> = {
  none: 10,
  later: 5,
  stuck: 10,
  late: 1_000,
  some: Infinity,
};

/**
 * Ends all sessions that are found, and asks again until a whole query finds none. Where new ones begin all the time, it
 * stops when several queries in a row have found only those. Resolves to how many it ended. Where it fails, the error's
 * `ended` is that number, and its message says that others are still live.
 */
export async function killLoop<T extends { readonly id: string }>(source: KillLoopSource<T>): Promise<number> {
  const beganAt = source.now();
  let ended = 0;
  let before: KillRound<T> | undefined;
  let [last, inARow]: [KillOutcome, number] = ["some", 0];
  for (;;) {
    const round = new KillRound(source, beganAt);
    let outcome: KillOutcome;
    try {
      await round.run();
      outcome = round.outcome(before);
      if (outcome === "none" && !(await source.mayHaveMissed())) return ended;
    } catch (error) {
      throw unfinishedKill(error, ended + round.ended);
    }
    ended += round.ended;
    before = round;
    inARow = outcome === last ? inARow + 1 : 1;
    last = outcome;
    if (inARow < MOST_ROUNDS[outcome]) continue;
    if (outcome === "none" || outcome === "later") return ended;
    throw unfinishedKill(
      new SessionError("SESSION_CONFLICT", "The store keeps finding live sessions that this kill can't end."),
      ended,
    );
  }
}

/** The error of a kill that failed after it had ended this many sessions. */
export function unfinishedKill(error: unknown, ended: number): unknown {
  if (!(error instanceof SessionError)) return error;
  const count = ended === 1 ? "1 session was ended" : `${ended} sessions were ended`;
  const message = `${count}, then the kill failed, and others are still live; call it again. ${error.message}`;
  return new SessionError(error.code, message, { cause: error, ended });
}
