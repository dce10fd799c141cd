import { setImmediate as nextTurn } from "node:timers/promises";
import { CLEAR_GRACE_MS } from "../record/expiry";
import type { LmdbFolder } from "./lmdb-folder";
import { idOfPurgeKey } from "./lmdb-table";
import type { Indexed, LmdbTable } from "./lmdb-table";

/** How many records are asked to be deleted in one turn of the event loop; requests wait for so many at most. */
const PAGE = 250;

/** How many pages are on their way to LMDB's writer at once, so that it always has work; writes of requests queue behind them. */
const PAGES_UNDER_WAY = 6;

/**
 * Deletes what is due at `now` from one table, in the order of the purge index, and answers page by page how many
 * records it deleted. A record that was changed or deleted by another meanwhile is left alone and not counted.
 */
export async function* clearTable<R extends Indexed>(
  folder: LmdbFolder,
  table: LmdbTable<R>,
  now: number,
): AsyncGenerator<number> {
  const underWay: Promise<number>[] = [];
  try {
    let last: string | undefined;
    do {
      folder.assertOpen();
      const keys = folder.read(() => table.purgeKeys(last, now, PAGE));
      last = keys.at(-1);
      if (keys.length > 0) underWay.push(folder.writing(() => deleteDue(folder, table, keys, now)));
      const first = underWay.length === PAGES_UNDER_WAY ? underWay.shift() : undefined;
      if (first !== undefined) yield await first;
      await nextTurn();
    } while (last !== undefined);
    for (const page of underWay) yield await page;
  } finally {
    // Where one page failed, the others may too; the first error is the one to tell.
    await Promise.allSettled(underWay);
  }
}

async function deleteDue<R extends Indexed>(
  folder: LmdbFolder,
  table: LmdbTable<R>,
  keys: readonly string[],
  now: number,
): Promise<number> {
  const deletions = folder.read(() =>
    keys.flatMap((key) => {
      const id = idOfPurgeKey(key);
      const stored = table.readSound(id);
      const isDue = stored !== undefined && stored.record.purgeAt + CLEAR_GRACE_MS < now;
      return isDue ? [{ id, version: stored.version, remove: table.removal(stored.record) }] : [];
    }),
  );
  const deleted = await folder.committed(() =>
    Promise.all(deletions.map(({ id, version, remove }) => table.records.ifVersion(id, version, remove))),
  );
  return deleted.filter(Boolean).length;
}
