import { CLEAR_GRACE_MS } from "../record/expiry";
import { dueEntries, runsUpTo } from "./lmdb-due";
import type { LmdbFolder } from "./lmdb-folder";
import { bucketOfOwnerKey } from "./lmdb-owner-key";
import type { Indexed, LmdbTable, TimeEntry } from "./lmdb-table";
import { PacedDeletions } from "./paced-deletions";
import { bucketOf } from "./tally-key";

/** How many entries of the index of owners are read at once. */
const OWNERS_PAGE = 500;

/** What it takes to delete one of them, as a part of what a record takes. */
const OWNER_COST = 1 / 4;

/** Where a larger part than this is due, reading the whole index of owners costs less than writing a page of it for each record. */
const SWEPT_PART = 1 / 20;

/**
 * Deletes what is due at `now` from one table, and answers transaction by transaction how many records it deleted. A record that was
 * renewed, ended or deleted by another meanwhile is left alone and not counted.
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
  const paced = new PacedDeletions(folder);
  const isSwept = (await estimatedDue(folder, table, boundary, paced)) > folder.read(() => table.size) * SWEPT_PART;
  const isOver = ({ run }: TimeEntry) => run.purgeBucket < boundary;
  yield* paced.each(dueEntries(folder, table, boundary), (entries) => {
    const inPart = entries.filter((entry) => !isOver(entry) && removeIfDue(folder, table, entry, now));
    return table.removeFromRuns(entries.filter(isOver), !isSwept) + inPart.length;
  });
  folder.assertOpen();
  if (folder.read(() => table.ownersLeft) <= 0) return;
  const remove = (keys: readonly string[]) => {
    table.removeOwnerKeys(keys);
    return 0; // They are no records.
  };
  yield* paced.each(dueOwnerKeys(folder, table, boundary), remove, OWNER_COST);
}

async function estimatedDue(
  folder: LmdbFolder,
  table: LmdbTable<Indexed>,
  boundary: string,
  paced: PacedDeletions,
): Promise<number> {
  let due = 0;
  for (const runs of runsUpTo(folder, table, boundary)) {
    await paced.turn();
    due += folder.read(() => runs.reduce((sum, run) => sum + table.estimatedCount(run), 0));
  }
  return due;
}

/** What is due of the index of owners, some at a time, and now and then none. */
function* dueOwnerKeys(folder: LmdbFolder, table: LmdbTable<Indexed>, boundary: string): Generator<string[]> {
  for (let last: string | undefined = ""; last !== undefined;) {
    const after: string = last;
    const page = folder.read(() => table.ownerKeys(after, OWNERS_PAGE));
    yield page.filter((key) => bucketOfOwnerKey(key) < boundary);
    last = page.length < OWNERS_PAGE ? undefined : page.at(-1);
  }
}

/** In the one bucket that is over in part, the record tells; inside a transaction. */
function removeIfDue<R extends Indexed>(
  folder: LmdbFolder,
  table: LmdbTable<R>,
  { id }: TimeEntry,
  now: number,
): boolean {
  const stored = folder.read(() => table.readSound(id));
  if (stored === undefined || stored.record.purgeAt + CLEAR_GRACE_MS >= now) return false;
  table.removal(stored.record)();
  return true;
}
