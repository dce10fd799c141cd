import { OwnContext } from "./own-context";

/** Something that must happen before its time is over. */
export interface Deadline {
  /** In milliseconds of `performance.now()`. */
  readonly at: number;
  /** Undefined once the deadline was met or missed. */
  miss: (() => void) | undefined;
}

/** With fewer done deadlines than this at its front, the queue isn't copied to get rid of them. */
const MANY = 1024;

/**
 * Deadlines that are all equally far away. They end in the order in which they were added, so one timer serves all of
 * them, and meeting one costs nothing.
 */
export class DeadlineQueue {
  readonly #lengthMs: number;
  readonly #context = new OwnContext();
  #queue: Deadline[] = [];
  /** How many at the front of the queue are done. */
  #done = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(lengthMs: number) {
    this.#lengthMs = lengthMs;
  }

  /** Calls `miss` in `lengthMs`, unless the deadline is met before. */
  add(miss: () => void): Deadline {
    const deadline = { at: performance.now() + this.#lengthMs, miss };
    if (this.#timer === undefined) this.#checkIn(this.#lengthMs);
    else if (this.#queue.length === 0) this.#timer.ref();
    this.#queue.push(deadline);
    return deadline;
  }

  meet(deadline: Deadline): void {
    deadline.miss = undefined;
    while (this.#done < this.#queue.length && this.#queue[this.#done]?.miss === undefined) this.#done += 1;
    this.#forgetDone();
    // While there is no deadline, the timer keeps no process alive. Stopping it would cost more.
    if (this.#queue.length === 0) this.#timer?.unref();
  }

  /** How many deadlines are kept, including those that are done but not forgotten yet. */
  get length(): number {
    return this.#queue.length;
  }

  /** In the context of the request that was first, the timers of all later ones would keep it in memory. */
  #checkIn(ms: number): void {
    this.#timer = this.#context.run(() => setTimeout(() => this.#check(), ms));
  }

  #check(): void {
    this.#timer = undefined;
    const now = performance.now();
    const missed: (() => void)[] = [];
    let next = this.#queue[this.#done];
    while (next !== undefined && (next.miss === undefined || next.at <= now)) {
      if (next.miss !== undefined) missed.push(next.miss);
      next.miss = undefined;
      this.#done += 1;
      next = this.#queue[this.#done];
    }
    this.#forgetDone();
    if (next !== undefined) this.#checkIn(Math.ceil(next.at - now));
    for (const miss of missed) miss();
  }

  /** Forgets what is done: at once where that is all, otherwise when it is the greater part. */
  #forgetDone(): void {
    if (this.#done < this.#queue.length && (this.#done < MANY || this.#done * 2 < this.#queue.length)) return;
    this.#queue = this.#queue.slice(this.#done);
    this.#done = 0;
  }
}
