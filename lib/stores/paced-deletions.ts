import type { LmdbFolder } from "./lmdb-folder";
import { ShortTurns } from "./short-turns";

/**
 * How many records one transaction deletes, while the event loop and all other writes wait: few where requests use the folder too, so that none waits
 * long, and some more for each millisecond in which nobody does, because each transaction waits for the disk. So the first request after a while waits for
 * about a fiftieth of that while.
 */
const FEW = 125;
const MORE_PER_MS = 4;
const MANY = 4000;

/** How many transactions are under way: while one is written to the disk, what the next one deletes is read. */
const UNDER_WAY = 2;

/** Deletes entries inside a transaction, where they are still there, and answers how many of them count. */
type Remove<T> = (entries: readonly T[]) => number;

/** Deletes much in a folder, and leaves room for requests. Of those of other processes it does not know. */
export class PacedDeletions {
  readonly #folder: LmdbFolder;
  readonly #turns = new ShortTurns();
  #ownUses = 0;
  #otherUses = NaN;
  #quietSince = 0;

  constructor(folder: LmdbFolder) {
    this.#folder = folder;
  }

  /** Takes a turn of the event loop where it is time to. Rejects with `SESSION_CLOSED`. */
  async turn(): Promise<void> {
    if (this.#turns.isOver) await this.#turns.next();
    this.#folder.assertOpen();
  }

  /**
   * Deletes what is due, in its order, inside transactions, and answers for each of them how many counted. A transaction that failed is tried once more.
   * `cost` is what an entry costs, in records.
   */
  async *each<T>(due: Iterable<readonly T[]>, remove: Remove<T>, cost = 1): AsyncGenerator<number> {
    const underWay: Promise<number>[] = [];
    let waiting: readonly T[] = [];
    try {
      for (const group of due) {
        await this.turn();
        waiting = waiting.concat(group);
        for (let limit = this.#limit(cost); waiting.length >= limit; limit = this.#limit(cost)) {
          await this.#begin(underWay, waiting.slice(0, limit), remove);
          waiting = waiting.slice(limit);
          while (underWay.length >= UNDER_WAY) yield (await underWay.shift()) ?? 0;
        }
        // Before more is read.
        this.#folder.assertOpen();
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
    return new Promise((resolve) => {
      const deletions = () => {
        // What is asked for in this very turn would be part of this transaction.
        setImmediate(resolve);
        return remove(entries);
      };
      const deleted = this.#folder.writing(() =>
        // The count falls short by what a first try did delete.
        this.#folder.together(deletions).catch(() => this.#folder.together(deletions)),
      );
      // Where it fails, that is told when its turn comes; nobody awaits it until then.
      deleted.catch(() => resolve());
      underWay.push(deleted);
    });
  }

  #limit(cost: number): number {
    const others = this.#folder.uses - this.#ownUses;
    if (others !== this.#otherUses) this.#quietSince = performance.now();
    this.#otherUses = others;
    const quietMs = performance.now() - this.#quietSince;
    return Math.min(MANY, FEW + Math.floor(quietMs) * MORE_PER_MS) / cost;
  }
}
