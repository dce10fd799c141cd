/** What a kill ends. */
export interface KillSource<T extends { readonly id: string }> {
  /** The live sessions, from the beginning each time. */
  find(): AsyncIterable<T>;
  /** When a session began, in milliseconds since the epoch; `-Infinity` where that can't be told. */
  beganAt(target: T): number;
  /** Whether this call ended it. */
  kill(target: T): Promise<boolean>;
}

/**
 * What came of a round: `none` was found; `later`: all that were found began after the kill did, and were ended;
 * `stuck`: none was ended, and one of them could not be ended in the round before either; `late`: none was ended, as
 * each had been replaced by then; `some` were ended.
 */
export type KillOutcome = "none" | "later" | "stuck" | "late" | "some";

/** How many sessions are ended at a time. */
const CONCURRENCY = 128;
/** How many of the sessions that it did not end a round remembers. */
const MAX_REMEMBERED = 1_000;

/** One whole query for live sessions, all of which are ended. */
export class KillRound<T extends { readonly id: string }> {
  /** How many were ended, also where the round fails. */
  ended = 0;
  readonly #source: KillSource<T>;
  /** When the kill began, in milliseconds since the epoch. */
  readonly #killBeganAt: number;
  readonly #missed = new Set<string>();
  #found = 0;
  #foundEarlier = 0;

  constructor(source: KillSource<T>, killBeganAt: number) {
    this.#source = source;
    this.#killBeganAt = killBeganAt;
  }

  async run(): Promise<void> {
    const underWay = new Set<Promise<void>>();
    const failures: unknown[] = [];
    try {
      for await (const target of this.#source.find()) {
        if (failures.length > 0) break;
        // A failure is kept for later: nothing awaits this promise while the query goes on.
        const killing = this.#kill(target)
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
  }

  outcome(before: KillRound<T> | undefined): KillOutcome {
    if (this.#found === 0) return "none";
    if (this.#foundEarlier === 0 && this.#missed.size === 0) return "later";
    if (this.ended > 0) return "some";
    const missedBefore = before === undefined ? new Set<string>() : before.#missed;
    return [...this.#missed].some((id) => missedBefore.has(id)) ? "stuck" : "late";
  }

  async #kill(target: T): Promise<void> {
    this.#found += 1;
    if (this.#source.beganAt(target) <= this.#killBeganAt) this.#foundEarlier += 1;
    if (await this.#source.kill(target)) this.ended += 1;
    else if (this.#missed.size < MAX_REMEMBERED) this.#missed.add(target.id);
  }
}
