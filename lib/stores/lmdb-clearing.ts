import { CLEAR_GRACE_MS } from "../record/expiry";
import { answersInOrder } from "./answers-in-order";
import { dueEntries, runsUpTo } from "./lmdb-due";
import type { LmdbFolder } from "./lmdb-folder";
import { bucketVersion } from "./lmdb-table";
import type { Indexed, LmdbTable, OwnerEntry, TimeEntry } from "./lmdb-table";
import { PacedWrites } from "./paced-writes";
import { bucketOf } from "./tally-key";

/** How many records are deleted in one page. */
const PAGE = 125;

/** How many entries of the index of owners are read at once. */
const OWNERS_PAGE = 500;

/** Where a larger part than this is due, reading the whole index of owners costs less than writing a page of it for each record. */
const SWEPT_PART = 1 / 20;

/**
 * Deletes what is due at `now` from one table, and answers page by page how many records it deleted. A record that was
 * changed or deleted by another meanwhile is left alone and not counted.
 *
 * Records are deleted in the order of their ids, which is random in the index of owners: LMDB copies a page for each change that is not next to the one
 * before. So where much is due, that index is swept afterwards, in its own order. Where the process ends in between, entries are left there
 * that lead to nothing, and the next clearing sweeps them.
 */
export async function* clearTable<R extends Indexed>(
  folder: LmdbFolder,
  table: LmdbTable<R>,
  now: number,
): AsyncGenerator<number> {
  folder.assertOpen();
  const boundary = bucketOf(now - CLEAR_GRACE_MS);
  const paced = new PacedWrites(folder);
  const isSwept = (await estimatedDue(folder, table, boundary, paced)) > folder.read(() => table.size) * SWEPT_PART;
  yield* paced.each(duePages(folder, table, boundary), async (page) => {
    const deleted = await insistently(folder, () =>
      answersInOrder(
        page.map((entry) =>
          entry.run.purgeBucket < boundary
            ? table.removeFromRun(entry, !isSwept)
            : removeIfDue(folder, table, entry, now),
        ),
      ),
    );
    return deleted.filter(Boolean).length;
  });
  if (folder.read(() => table.ownersLeft) <= 0) return;
  yield* paced.each(dueOwners(folder, table, boundary), async (page) => {
    await insistently(folder, () => table.removeOwners(page));
    return 0;
  });
}

/**
 * A page that failed is tried once more whatever became of it: each deletion is on a condition, which it meets only once. What the first try did
 * delete is not counted then.
 */
async function insistently<T>(folder: LmdbFolder, remove: () => Promise<T>): Promise<T> {
  return folder.committed(remove).catch(() => folder.committed(remove));
}

async function estimatedDue(
  folder: LmdbFolder,
  table: LmdbTable<Indexed>,
  boundary: string,
  paced: PacedWrites,
): Promise<number> {
  let due = 0;
  for (const runs of runsUpTo(folder, table, boundary)) {
    await paced.turn();
    due += folder.read(() => runs.reduce((sum, run) => sum + table.estimatedCount(run), 0));
  }
  return due;
}

/** What is due of the index of owners, page by page; some are empty. */
function* dueOwners(folder: LmdbFolder, table: LmdbTable<Indexed>, boundary: string): Generator<OwnerEntry[]> {
  for (let last: string | undefined = ""; last !== undefined;) {
    const after: string = last;
    const page = folder.read(() => table.owners(after, OWNERS_PAGE));
    yield page.filter(({ version }) => version < bucketVersion(boundary));
    last = page.length < OWNERS_PAGE ? undefined : page.at(-1)?.key;
  }
}

/** What may be due, in pages that one turn of the event loop can deal with; some are empty. */
function* duePages(folder: LmdbFolder, table: LmdbTable<Indexed>, boundary: string): Generator<TimeEntry[]> {
  for (const group of dueEntries(folder, table, boundary)) {
    for (let at = 0; at < Math.max(group.length, 1); at += PAGE) yield group.slice(at, at + PAGE);
  }
}

/** In the one bucket that is over in part, the record tells. */
function removeIfDue<R extends Indexed>(
  folder: LmdbFolder,
  table: LmdbTable<R>,
  { id }: TimeEntry,
  now: number,
): Promise<boolean> {
  const stored = folder.read(() => table.readSound(id));
  if (stored === undefined || stored.record.purgeAt + CLEAR_GRACE_MS >= now) return Promise.resolve(false);
  return table.records.ifVersion(id, stored.version, table.removal(stored.record));
}
