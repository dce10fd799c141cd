import type { SessionTally } from "../../stores/store";

/** How many sessions are live, and when that was counted (milliseconds since the epoch). */
export interface CountedTally {
  readonly tallies: readonly SessionTally[];
  readonly countedAt: number;
}

/** Counting that takes longer than this is not done for every page, in milliseconds. */
const LONG_MS = 100;
/** Counting takes at most one part in this many of the time. */
const SHARE_OF_TIME = 20;
/** A count older than this is shown to nobody, in milliseconds. */
const MOST_AGE_MS = 10 * 60_000;

/**
 * Keeps a count that took long, so that no page waits for the next one: some stores read every session for it. A store
 * that counts at once is asked each time.
 */
export class KeptTally {
  #kept: (CountedTally & { readonly of: object; readonly tookMs: number }) | undefined;
  #counting: Promise<CountedTally> | undefined;

  /** The count of `of`, which `count` makes. `now` in milliseconds since the epoch. */
  get(of: object, count: () => Promise<readonly SessionTally[]>, now: number): Promise<CountedTally> | CountedTally {
    const kept = this.#kept;
    const age = kept === undefined ? Infinity : now - kept.countedAt;
    if (kept?.of !== of || kept.tookMs < LONG_MS || age > MOST_AGE_MS) return this.#count(of, count, now);
    if (age > SHARE_OF_TIME * kept.tookMs) {
      // Where it fails, the next page tries again, until what is kept is too old to be shown.
      this.#counting ??= this.#count(of, count, now).finally(() => (this.#counting = undefined));
      this.#counting.catch(() => undefined);
    }
    return kept;
  }

  async #count(of: object, count: () => Promise<readonly SessionTally[]>, now: number): Promise<CountedTally> {
    const started = performance.now();
    const tallies = await count();
    this.#kept = { of, tallies, countedAt: now, tookMs: performance.now() - started };
    return this.#kept;
  }
}
