/** Something that has to happen before its time is over. */
export interface Deadline {
  readonly at: number;
  /** Undefined once it was met, or missed. */
  miss: (() => void) | undefined;
}

/**
 * Deadlines that are all equally far away: they end in the order in which they were added, so one timer does for
 * all of them, and meeting one costs nothing.
 */
export class DeadlineQueue {
  readonly #lengthMs: number;
  #queue: Deadline[] = [];
  /** How many at the front of the queue are done with. */
  #done = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(lengthMs: number) {
    this.#lengthMs = lengthMs;
  }

  /** Calls `miss` in `lengthMs`, unless the deadline is met before. */
  add(miss: () => void): Deadline {
    const deadline = { at: performance.now() + this.#lengthMs, miss };
    if (this.#timer === undefined) this.#timer = setTimeout(() => this.#check(), this.#lengthMs);
    else if (this.#queue.length === 0) this.#timer.ref();
    this.#queue.push(deadline);
    return deadline;
  }

  meet(deadline: Deadline): void {
    deadline.miss = undefined;
    while (this.#done < this.#queue.length && this.#queue[this.#done]?.miss === undefined) this.#done += 1;
    if (this.#done < this.#queue.length) return;
    this.#queue = [];
    this.#done = 0;
    // While the timer waits for nothing, it keeps no process alive; it is not worth stopping.
    this.#timer?.unref();
  }

  #check(): void {
    this.#timer = undefined;
    const now = performance.now();
    for (let next = this.#queue[this.#done]; next !== undefined; next = this.#queue[this.#done]) {
      if (next.miss !== undefined && next.at > now) {
        this.#timer = setTimeout(() => this.#check(), Math.ceil(next.at - now));
        return;
      }
      const { miss } = next;
      next.miss = undefined;
      this.#done += 1;
      miss?.();
    }
    this.#queue = [];
    this.#done = 0;
  }
}
