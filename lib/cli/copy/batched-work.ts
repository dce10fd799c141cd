/** How many items a batch has at first, at least, and at most: as many as PostgresStore puts into one statement. */
const FEWEST = 32;
const MOST = 500;
/** About how many bytes a batch has at most: what is under way is held in memory. */
const BATCH_BYTES = 4 * 2 ** 20;
/** So many batches are under way at a time: while one is written, the next is read. */
const UNDER_WAY = 2;
/** Batches that take less than this, in milliseconds, become larger, and those that take longer than that, smaller. */
const SHORT_MS = 250;
const LONG_MS = 1_000;

/**
 * Works on items in batches, because a store does together what it is asked for in one turn of the event loop. A store
 * that does one after the other, or fails, is given fewer at once.
 */
export class BatchedWork<T> {
  readonly #work: (item: T) => Promise<boolean>;
  #batch: T[] = [];
  #bytes = 0;
  #size = FEWEST;
  readonly #underWay: Promise<void>[] = [];

  /** `work` resolves to whether it succeeded, and never rejects. */
  constructor(work: (item: T) => Promise<boolean>) {
    this.#work = work;
  }

  /** Resolves when the next item may be added. */
  async add(item: T, bytes: number): Promise<void> {
    this.#batch.push(item);
    this.#bytes += bytes;
    if (this.#batch.length >= this.#size || this.#bytes >= BATCH_BYTES) await this.#start();
  }

  /** Resolves when all work is done; `isGivenUp`: but for what was not begun. */
  async finish(isGivenUp: boolean): Promise<void> {
    if (!isGivenUp && this.#batch.length > 0) await this.#start();
    await Promise.all(this.#underWay);
  }

  async #start(): Promise<void> {
    const batch = this.#batch;
    this.#batch = [];
    this.#bytes = 0;
    this.#underWay.push(this.#done(batch));
    if (this.#underWay.length >= UNDER_WAY) await this.#underWay.shift();
  }

  async #done(batch: readonly T[]): Promise<void> {
    const startedAt = performance.now();
    const successes = await Promise.all(batch.map(this.#work));
    const tookMs = performance.now() - startedAt;
    if (successes.includes(false)) this.#size = FEWEST;
    else if (tookMs < SHORT_MS) this.#size = Math.min(2 * this.#size, MOST);
    else if (tookMs > LONG_MS) this.#size = Math.max(Math.floor(this.#size / 2), FEWEST);
  }
}
