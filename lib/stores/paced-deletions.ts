import type { LmdbFolder } from "./lmdb-folder";
import { ShortTurns } from "./short-turns";

/**
 * How many records one transaction deletes, while the event loop and all other writes wait: few where requests use the folder too, so that none waits
 * long, and some more for each millisecond in which nobody does, because each transaction waits for the disk. So the first request after a while waits for
 * about a fiftieth of that while.
 */
const FEW = 125;
const MORE_PER_MS = 4;
const MANY = 2000;

/** How many transactions are under way: while one is written to the disk, what the next one deletes is read. */
const UNDER_WAY = 2;

/**
 * Deletes one entry inside a transaction, and answers whether it was there. Where it `isSure`, nobody has written anything in the folder since the entry was
 * read; otherwise it has to be on a condition.
 */
type Remove<T> = (entry: T, isSure: boolean) => boolean;

/** Deletes much in a folder, and leaves room for requests. Of those of other processes it knows only that they have written. */
export class PacedDeletions {
  readonly #folder: LmdbFolder;
  readonly #turns = new ShortTurns();
  #ownUses = 0;
  #ownWritesUnderWay = 0;
  #otherUses = NaN;
  #quietSince = 0;
  /** The number of the last transaction in which something was written, by this alone or before anything was read; undefined once others have. */
  #lastWritten: number | undefined;

  constructor(folder: LmdbFolder) {
    this.#folder = folder;
  }

  /** Takes a turn of the event loop where it is time to. Rejects with `SESSION_CLOSED`. */
  async turn(): Promise<void> {
    if (this.#turns.isOver) await this.#turns.next();
    this.#folder.assertOpen();
  }

  /**
   * Deletes what is due, in its order, inside transactions, and answers how many each of them deleted. A transaction that failed is tried once more.
   * `cost` is what an entry costs, in records.
   */
  async *each<T>(due: Iterable<readonly T[]>, remove: Remove<T>, cost = 1): AsyncGenerator<number> {
    const underWay: Promise<number>[] = [];
    let waiting: readonly T[] = [];
    this.#lookAround();
    this.#lastWritten = await this.#insistently((transaction) => transaction - 1);
    try {
      for (const group of due) {
        await this.turn();
        waiting = waiting.concat(group);
        for (let limit = this.#limit(cost); waiting.length >= limit; limit = this.#limit(cost)) {
          await this.#begin(underWay, waiting.slice(0, limit), remove);
          waiting = waiting.slice(limit);
          while (underWay.length >= UNDER_WAY) yield (await underWay.shift()) ?? 0;
        }
      }
      if (waiting.length > 0) await this.#begin(underWay, waiting, remove);
      for (const deleted of underWay) yield await deleted;
    } finally {
      // Where one failed, the others may too; the first error is the one to tell.
      await Promise.allSettled(underWay);
    }
  }

  /** Resolves once the entries were deleted, while that is not committed yet. */
  #begin<T>(underWay: Promise<number>[], entries: readonly T[], remove: Remove<T>): Promise<void> {
    this.#ownUses += 1;
    this.#ownWritesUnderWay += 1;
    return new Promise((resolve) => {
      const deletions = (transaction: number) => {
        // What is asked for in this very turn would be part of this transaction.
        setImmediate(resolve);
        return this.#deleteAll(entries, remove, transaction);
      };
      const deleted = this.#folder.writing(() =>
        this.#insistently(deletions).finally(() => (this.#ownWritesUnderWay -= 1)),
      );
      // Where it fails, that is told when its turn comes; nobody awaits it until then.
      deleted.catch(() => resolve());
      underWay.push(deleted);
    });
  }

  /** A count falls short by what a first try did delete. */
  #insistently(work: (transaction: number) => number): Promise<number> {
    return this.#folder.together(work).catch(() => this.#folder.together(work));
  }

  #deleteAll<T>(entries: readonly T[], remove: Remove<T>, transaction: number): number {
    this.#lookAround();
    // A transaction may be the same as the last one, and other writes of this process a part of it.
    const isNext = this.#lastWritten !== undefined && transaction - this.#lastWritten <= 1;
    const isSure = isNext && this.#folder.writesUnderWay === this.#ownWritesUnderWay;
    let count = 0;
    for (const entry of entries) if (remove(entry, isSure)) count += 1;
    if (!isSure) this.#lastWritten = undefined;
    else if (count > 0) this.#lastWritten = transaction;
    return count;
  }

  #limit(cost: number): number {
    this.#lookAround();
    const quietMs = performance.now() - this.#quietSince;
    return Math.min(MANY, FEW + Math.floor(quietMs) * MORE_PER_MS) / cost;
  }

  /** Takes note of what others of this process have done in the folder since the last look. */
  #lookAround(): void {
    const others = this.#folder.uses - this.#ownUses;
    if (others === this.#otherUses) return;
    this.#otherUses = others;
    this.#quietSince = performance.now();
    this.#lastWritten = undefined;
  }
}
