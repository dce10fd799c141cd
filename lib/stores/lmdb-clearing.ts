import { setImmediate as nextTurn } from "node:timers/promises";
import { CLEAR_GRACE_MS } from "../record/expiry";
import type { LmdbFolder } from "./lmdb-folder";
import { idOfPurgeKey } from "./lmdb-table";
import type { Indexed, LmdbTable } from "./lmdb-table";

/** How many records are cleared between two turns of the event loop; requests wait for so many at most. */
const PAGE = 250;

/**
 * Deletes what is due at `now` from one table, in the order of the purge index, and answers page by page how many
 * records it deleted. A record that was changed or deleted by another meanwhile is left alone and not counted.
 */
export async function* clearTable<R extends Indexed>(
  folder: LmdbFolder,
  table: LmdbTable<R>,
  now: number,
): AsyncGenerator<number> {
  let last: string | undefined;
  for (;;) {
    const { keys, deleted } = await folder.writing(() => clearPage(folder, table, last, now));
    if (keys.length === 0) return;
    last = keys.at(-1);
    yield deleted;
    await nextTurn();
  }
}

async function clearPage<R extends Indexed>(
  folder: LmdbFolder,
  table: LmdbTable<R>,
  last: string | undefined,
  now: number,
) {
  const { keys, deletions } = folder.read(() => {
    const page = table.purgeKeys(last, now, PAGE);
    return { keys: page, deletions: deletionsOf(folder, table, page.map(idOfPurgeKey), now) };
  });
  return { keys, deleted: (await Promise.all(deletions)).filter(Boolean).length };
}

function deletionsOf<R extends Indexed>(folder: LmdbFolder, table: LmdbTable<R>, ids: string[], now: number) {
  return ids.flatMap((id) => {
    const stored = table.readSound(id);
    if (stored === undefined || stored.record.purgeAt + CLEAR_GRACE_MS >= now) return [];
    const remove = table.removal(stored.record);
    return [folder.committed(() => table.records.ifVersion(id, stored.version, remove))];
  });
}
