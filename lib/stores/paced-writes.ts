import type { LmdbFolder } from "./lmdb-folder";
import { ShortTurns } from "./short-turns";

/**
 * How many pages are on their way to LMDB's writer at once: what waits there when a transaction begins is in it. Where requests use the folder too, few,
 * so that none waits for a long one; where nobody does, many, because a larger transaction writes less for each record.
 */
const FEW_PAGES = 2;
const MANY_PAGES = 48;

/** Nobody uses the folder who has not for so many milliseconds. */
const QUIET_MS = 500;

/** Long work on a folder that leaves room for requests. Of those of other processes it does not know. */
export class PacedWrites {
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

  /** Has pages written, several at a time, and answers one by one how many records each deleted. */
  async *each<T>(
    pages: Iterable<readonly T[]>,
    write: (page: readonly T[]) => Promise<number>,
  ): AsyncGenerator<number> {
    const underWay: Promise<number>[] = [];
    try {
      for (const page of pages) {
        await this.turn();
        if (page.length === 0) continue;
        this.#ownUses += 1;
        const written = this.#folder.writing(() => write(page));
        // Where it fails, that is told when its turn comes; nobody awaits it until then.
        written.catch(() => undefined);
        underWay.push(written);
        const limit = this.#isQuiet() ? MANY_PAGES : FEW_PAGES;
        while (underWay.length >= limit) yield (await underWay.shift()) ?? 0;
      }
      for (const page of underWay) yield await page;
    } finally {
      // Where one page failed, the others may too; the first error is the one to tell.
      await Promise.allSettled(underWay);
    }
  }

  #isQuiet(): boolean {
    const others = this.#folder.uses - this.#ownUses;
    if (others !== this.#otherUses) this.#quietSince = performance.now();
    this.#otherUses = others;
    return performance.now() - this.#quietSince > QUIET_MS;
  }
}
