import { within } from "../../../record/duration";
import type { TimeLimit } from "../../conflicts";
import { timeoutError, waitedError } from "../datastore-errors";

/** How long a call to Datastore may take unless the option `timeoutMs` says otherwise, in milliseconds. */
export const CALL_TIMEOUT_MS = 5_000;

/**
 * The time limit of calls to Datastore, counted from when each was asked for. Once it is over, the caller has been told
 * that the call failed, and nothing may be sent for it any more. All instants are by `performance.now()`.
 */
export class CallDeadline implements TimeLimit {
  readonly #timeoutMs: number;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** What was asked for at this instant or before is too late now. */
  get latest(): number {
    return performance.now() - this.#timeoutMs;
  }

  /**
   * Makes one call, which is given the instant at which its time ends. Rejects with `SESSION_STORE_TIMEOUT` where it
   * has not settled by then.
   */
  within<T>(call: string, work: (end: number) => Promise<T>): Promise<T> {
    const end = performance.now() + this.#timeoutMs;
    return within(this.#timeoutMs, work(end), () => {
      throw timeoutError(call, this.#timeoutMs);
    });
  }

  /** The milliseconds until `end`, 1 or more. Throws `SESSION_STORE_TIMEOUT` where there are none left. */
  timeLeft(call: string, end: number): number {
    const timeLeft = Math.ceil(end - performance.now());
    if (timeLeft <= 0) throw timeoutError(call, this.#timeoutMs);
    return timeLeft;
  }

  /** The error for a caller whose call was not sent in time. */
  waited(call: string): Error {
    return waitedError(call, this.#timeoutMs);
  }

  /** Throws `SESSION_STORE_TIMEOUT` where it is too late to send this. */
  assertInTime(call: string, askedAt: number): void {
    if (askedAt <= this.latest) throw this.waited(call);
  }
}
