import { setImmediate as nextTurn } from "node:timers/promises";
import type { LmdbFolder } from "./lmdb-folder";
import type { Indexed, LmdbTable } from "./lmdb-table";
import type { FindQuery } from "./store";

interface Findable extends Indexed {
  readonly project: string;
  readonly scope: string;
}

/** How many records are read at once. */
const PAGE = 100;

/**
 * Streams the records of one table that the query names. A page's ids and records are read from one snapshot, so that a
 * session that is replaced meanwhile is seen as the one or as the other; none is held while the caller works with a record,
 * so that a slow caller does not keep LMDB from using its free pages again. Other requests have their turn after each page.
 */
export async function* findInTable<R extends Findable>(
  folder: LmdbFolder,
  table: LmdbTable<R>,
  query: FindQuery,
): AsyncGenerator<R> {
  let last = query.after;
  let passedOver = 0;
  for (let limit = Math.min(query.limit ?? PAGE, PAGE); ; limit = PAGE) {
    folder.assertOpen();
    const page = folder.read(() => idsOf(table, query, last, limit).map((id) => ({ id, found: table.readSound(id) })));
    for (const { id, found } of page) {
      folder.assertOpen();
      const isAgain = id === last;
      last = id;
      if (found === undefined || isAgain) continue;
      if (matches(found.record, query)) passedOver = 0;
      else if ((passedOver += 1) !== query.progressEvery) continue;
      else passedOver = 0;
      yield found.record;
    }
    if (page.length < limit || query.id !== undefined) return;
    await nextTurn();
  }
}

function idsOf(
  table: LmdbTable<Findable>,
  { id, owner, after }: FindQuery,
  last: string | undefined,
  limit: number,
): string[] {
  if (id !== undefined) return after === undefined || after < id ? [id] : [];
  return owner === undefined ? table.ids(last, limit) : table.idsOfOwner(owner, last, limit);
}

function matches(record: Findable, query: FindQuery): boolean {
  return (
    (query.owner === undefined || query.owner === record.owner) &&
    (query.project === undefined || query.project === record.project) &&
    (query.scope === undefined || query.scope === record.scope)
  );
}
