import { setImmediate as nextTurn } from "node:timers/promises";
import { CLEAR_GRACE_MS } from "../record/expiry";
import { dueIds } from "./lmdb-due";
import type { LmdbFolder } from "./lmdb-folder";
import type { Indexed, LmdbTable } from "./lmdb-table";

/** How many records are asked to be deleted in one turn of the event loop; requests wait for so many at most. */
const PAGE = 125;

/** How many pages are on their way to LMDB's writer at once, so that it always has work; writes of requests queue behind them. */
const PAGES_UNDER_WAY = 4;

/**
 * Deletes what is due at `now` from one table, and answers page by page how many records it deleted. A record that was
 * changed or deleted by another meanwhile is left alone and not counted.
 */
export async function* clearTable<R extends Indexed>(
  folder: LmdbFolder,
  table: LmdbTable<R>,
  now: number,
): AsyncGenerator<number> {
  const underWay: Promise<number>[] = [];
  try {
    folder.assertOpen();
    for (const ids of dueIds(folder, table, now)) {
      if (ids.length === 0) await nextTurn();
      folder.assertOpen();
      for (let at = 0; at < ids.length; at += PAGE) {
        const page = ids.slice(at, at + PAGE);
        underWay.push(folder.writing(() => deleteDue(folder, table, page, now)));
        const first = underWay.length === PAGES_UNDER_WAY ? underWay.shift() : undefined;
        if (first !== undefined) yield await first;
        await nextTurn();
        folder.assertOpen();
      }
    }
    for (const page of underWay) yield await page;
  } finally {
    // Where one page failed, the others may too; the first error is the one to tell.
    await Promise.allSettled(underWay);
  }
}

async function deleteDue<R extends Indexed>(
  folder: LmdbFolder,
  table: LmdbTable<R>,
  ids: readonly string[],
  now: number,
): Promise<number> {
  const deletions = folder.read(() =>
    ids.flatMap((id) => {
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
