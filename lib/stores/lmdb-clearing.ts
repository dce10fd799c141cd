import { CLEAR_GRACE_MS } from "../record/expiry";
import { dueEntries } from "./lmdb-due";
import type { LmdbFolder } from "./lmdb-folder";
import { LmdbRound } from "./lmdb-round";
import type { Indexed, LmdbTable, TimeEntry } from "./lmdb-table";
import { PacedWrites } from "./paced-writes";

/** A round of some 120,000 records: the more, the fewer pages of the index of owners are written for each, and the more memory it takes. */
const ROUND_BYTES = 8 * 1024 * 1024;

/** How many entries are written in one page. */
const PAGE = 125;

/**
 * Deletes what is due at `now` from one table, and answers page by page how many records it deleted. A record that was
 * changed or deleted by another meanwhile is left alone and not counted.
 *
 * What is due as a whole run is deleted without being read, in rounds. The index of owners comes first, in its own order, and then the records in that
 * of their ids: each of the two is random in the order of the other, and LMDB copies a page for each change that is not next to the
 * one before. Where the process ends in between, records are left that no owner leads to; their time is over, and the next clearing finds them.
 */
export async function* clearTable<R extends Indexed>(
  folder: LmdbFolder,
  table: LmdbTable<R>,
  now: number,
  roundBytes = ROUND_BYTES,
): AsyncGenerator<number> {
  folder.assertOpen();
  const paced = new PacedWrites(folder);
  let round: LmdbRound | undefined;
  for (const group of dueEntries(folder, table, now, "whole")) {
    await paced.turn();
    for (const entry of group) {
      round ??= new LmdbRound(roundBytes);
      round.add(entry);
      if (!round.isFull) continue;
      yield* clearRound(folder, table, paced, round);
      round.clear();
    }
  }
  if (round !== undefined) yield* clearRound(folder, table, paced, round);
  for (const group of dueEntries(folder, table, now, "boundary")) {
    await paced.turn();
    yield* paced.each(inPages(group), (page) => deleteDue(folder, table, page, now));
  }
}

async function* clearRound<R extends Indexed>(
  folder: LmdbFolder,
  table: LmdbTable<R>,
  paced: PacedWrites,
  round: LmdbRound,
): AsyncGenerator<number> {
  yield* paced.each(inPages(round.inOrderOfOwners()), async (page) => {
    await folder.committed(() => table.removeOwners(page));
    return 0;
  });
  yield* paced.each(inPages(round.inOrderOfIds()), async (page) => {
    const deleted = await folder.committed(() => table.removeRecords(page));
    return deleted.filter(Boolean).length;
  });
}

function* inPages(entries: Iterable<TimeEntry>): Generator<TimeEntry[]> {
  let page: TimeEntry[] = [];
  for (const entry of entries) {
    page.push(entry);
    if (page.length < PAGE) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}

/** In the one bucket that is over in part, the record tells whether it is due. */
async function deleteDue<R extends Indexed>(
  folder: LmdbFolder,
  table: LmdbTable<R>,
  entries: readonly TimeEntry[],
  now: number,
): Promise<number> {
  const deletions = folder.read(() =>
    entries.flatMap(({ id }) => {
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
