import { setImmediate as nextTurn } from "node:timers/promises";
import type { LmdbFolder } from "./lmdb-folder";
import type { Indexed, LmdbTable } from "./lmdb-table";
import type { FindQuery } from "./store";

interface Findable extends Indexed {
  readonly project: string;
}

/** How many ids are held at once; each record is read when it is its turn. */
const PAGE = 500;

/**
 * Streams the records of one table that the query names. No snapshot is held while the caller works with a record, so
 * that a slow caller does not keep LMDB from using its free pages again. Other requests have their turn after each page.
 */
export async function* findInTable<R extends Findable>(
  folder: LmdbFolder,
  table: LmdbTable<R>,
  query: FindQuery,
): AsyncGenerator<R> {
  for await (const ids of pagesOfIds(folder, table, query)) {
    for (const id of ids) {
      folder.assertOpen();
      const record = folder.read(() => table.readSound(id))?.record;
      if (record !== undefined && matches(record, query)) yield record;
    }
  }
}

async function* pagesOfIds(folder: LmdbFolder, table: LmdbTable<Findable>, query: FindQuery): AsyncGenerator<string[]> {
  const { id, owner } = query;
  if (id !== undefined) {
    yield [id];
    return;
  }
  let last: string | undefined;
  for (;;) {
    folder.assertOpen();
    const ids = folder.read(() => (owner === undefined ? table.ids(last, PAGE) : table.idsOfOwner(owner, last, PAGE)));
    yield ids;
    if (ids.length < PAGE) return;
    last = ids.at(-1);
    await nextTurn();
  }
}

function matches(record: Findable, query: FindQuery): boolean {
  return (
    (query.owner === undefined || query.owner === record.owner) &&
    (query.project === undefined || query.project === record.project)
  );
}
