import { setImmediate as nextTurn } from "node:timers/promises";
import type { LmdbFolder } from "./lmdb-folder";
import type { Indexed, LmdbTable } from "./lmdb-table";
import type { FindQuery } from "./store";

interface Findable extends Indexed {
  readonly project: string;
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
  let last: string | undefined;
  for (;;) {
    folder.assertOpen();
    const page = folder.read(() => idsOf(table, query, last).map((id) => ({ id, found: table.readSound(id) })));
    for (const { found } of page) {
      folder.assertOpen();
      if (found !== undefined && matches(found.record, query)) yield found.record;
    }
    if (page.length < PAGE || query.id !== undefined) return;
    last = page.at(-1)?.id;
    await nextTurn();
  }
}

function idsOf(table: LmdbTable<Findable>, { id, owner }: FindQuery, last: string | undefined): string[] {
  if (id !== undefined) return [id];
  return owner === undefined ? table.ids(last, PAGE) : table.idsOfOwner(owner, last, PAGE);
}

function matches(record: Findable, query: FindQuery): boolean {
  return (
    (query.owner === undefined || query.owner === record.owner) &&
    (query.project === undefined || query.project === record.project)
  );
}
