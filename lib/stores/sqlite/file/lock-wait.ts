import { setTimeout as delay } from "node:timers/promises";

/** How long one operation waits for other connections to let go of the file. */
const LOCK_WAIT_MS = 5_000;
const FIRST_PAUSE_MS = 1;
const LONGEST_PAUSE_MS = 10;

/** Waits for a lock without blocking the event loop: a pause, another try, and a longer pause, until the time is over. */
export class LockWait {
  readonly #until = performance.now() + LOCK_WAIT_MS;
  #pauseMs = FIRST_PAUSE_MS;

  get isOver(): boolean {
    return performance.now() >= this.#until;
  }

  /** Random in part, so that processes don't try in step. */
  async pause(): Promise<void> {
    await delay(this.#pauseMs * (0.5 + Math.random()));
    this.#pauseMs = Math.min(this.#pauseMs * 1.5, LONGEST_PAUSE_MS);
  }
}
