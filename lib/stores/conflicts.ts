import { setTimeout as sleep } from "node:timers/promises";
import { SessionError } from "../errors";

/** The time limit of a call. All instants are by `performance.now()`. */
export interface TimeLimit {
  /** What was asked for at this instant or before is too late now. */
  readonly latest: number;
  /** Throws `SESSION_STORE_TIMEOUT` where it is too late to send this. */
  assertInTime(call: string, askedAt: number): void;
}

/** How often a change is tried before it is given up. */
export const ATTEMPTS = 24;
const BACKOFF_MS = 10;
const LONGEST_BACKOFF_MS = 320;

/** How long to wait, in milliseconds, after so many attempts failed because the record had been changed meanwhile. */
export function backoffMs(conflicts: number): number {
  return Math.random() * Math.min(LONGEST_BACKOFF_MS, BACKOFF_MS * 2 ** conflicts);
}

export function conflictError(id: string): SessionError {
  return new SessionError(
    "SESSION_CONFLICT",
    `Session ${id} kept being changed by others, so this change was not made. Try it again.`,
  );
}

/**
 * Repeats a change, each time after a wait, for as long as it fails because the record was changed meanwhile. `askedAt`
 * is by `performance.now()`. Rejects with `SESSION_CONFLICT` after too many attempts, or when the time is over.
 */
export async function untilSettled<T>(
  id: string,
  askedAt: number,
  deadline: TimeLimit,
  attempt: (conflicts: number) => Promise<T | "conflict">,
): Promise<T> {
  deadline.assertInTime("commit", askedAt);
  for (let conflicts = 0; conflicts < ATTEMPTS; conflicts += 1) {
    if (conflicts > 0) {
      if (askedAt <= deadline.latest) break;
      await sleep(backoffMs(conflicts));
    }
    const result = await attempt(conflicts);
    if (result !== "conflict") return result;
  }
  throw conflictError(id);
}

/**
 * Does the work on one id in the order in which it was asked for, so that this process's own changes don't conflict.
 * Different ids don't wait for each other.
 */
export class QueueById {
  /** What comes next on an id waits for this. It never rejects. */
  readonly #last = new Map<string, Promise<unknown>>();

  /** How many ids have work under way. */
  get size(): number {
    return this.#last.size;
  }

  /** Does this once everything before it on the same id has settled; at once where nothing is under way. */
  async add<T>(id: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(id);
    const working = before === undefined ? work() : before.then(work);
    const settled = working.catch(() => undefined);
    this.#last.set(id, settled);
    try {
      return await working;
    } finally {
      if (this.#last.get(id) === settled) this.#last.delete(id);
    }
  }
}
