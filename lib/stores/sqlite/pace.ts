import { setTimeout as delay } from "node:timers/promises";

/** How long one step of long work should take, in milliseconds: the event loop waits meanwhile. */
const STEP_MS = 1.5;

/** How much to do in one step, by how long the steps before took. */
export class Pace {
  size: number;
  readonly #most: number;

  constructor(first: number, most: number) {
    this.size = Math.min(first, most);
    this.#most = most;
  }

  timed<T>(step: () => T): T {
    const start = performance.now();
    try {
      return step();
    } finally {
      const factor = STEP_MS / (performance.now() - start);
      this.size = Math.max(1, Math.min(this.#most, Math.ceil(this.size * Math.min(factor, 2))));
    }
  }
}

/** How many rows a search reads at once. */
export class PageSize extends Pace {
  constructor(wanted = Infinity) {
    super(Math.min(wanted, 25), 250);
  }
}

/** Other processes try to get the lock every few milliseconds; after so long a time they get a moment in which it is free. */
const MOMENT_EVERY_MS = 50;
const MOMENT_MS = 5;

/** How many rows a clearing deletes in one transaction, and how long it leaves the file to others after it. */
export class ClearingPace extends Pace {
  readonly #dataVersion: () => number;
  #version: number;
  #freeAt = performance.now();

  /** `dataVersion` returns another number when other processes have written. */
  constructor(dataVersion: () => number) {
    super(50, 2_000);
    this.#dataVersion = dataVersion;
    this.#version = dataVersion();
  }

  async pause(): Promise<void> {
    const version = this.#dataVersion();
    const isShared = version !== this.#version;
    this.#version = version;
    if (!isShared && performance.now() - this.#freeAt < MOMENT_EVERY_MS) return;
    await delay(isShared ? STEP_MS : MOMENT_MS);
    this.#freeAt = performance.now();
  }
}
