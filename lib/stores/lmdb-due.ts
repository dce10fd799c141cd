import type { LmdbFolder } from "./lmdb-folder";
import type { Indexed, LmdbTable } from "./lmdb-table";

/** How many buckets are merged at once: a backlog of two days. One of years is worked off in groups of so many. */
const MERGED_BUCKETS = 288;

/** How many ids are held at once, over all buckets; and from each bucket at least so many are read together. */
const HELD_IDS = 8_000;
const FEWEST_IDS = 32;

/** The ids of one bucket of the purge index that were read and not yet handed out, in their order. */
interface Bucket {
  readonly name: string;
  ids: string[];
  /** Where to go on reading; undefined where everything was read. */
  last: string | undefined;
}

/**
 * The ids that may be due at `now`, a group at a time, and in the order of the ids over many buckets of the purge index. Some groups
 * are empty, so that a caller who takes a turn of the event loop for each never reads long without one.
 *
 * The order of the index itself, bucket by bucket, would visit the records at random, and for each record LMDB copies a page. In the
 * order of the ids, records that lie on one page are deleted by one transaction. What is held in memory does not
 * grow with what is due.
 */
export function* dueIds(
  folder: LmdbFolder,
  table: Pick<LmdbTable<Indexed>, "dueBuckets" | "idsOfBucket">,
  now: number,
): Generator<string[]> {
  let after: string | undefined;
  for (;;) {
    const names = folder.read(() => table.dueBuckets(after, now, MERGED_BUCKETS));
    after = names.at(-1);
    if (after === undefined) return;
    const limit = Math.max(FEWEST_IDS, Math.floor(HELD_IDS / names.length));
    yield* merged(
      names.map((name) => ({ name, ids: [], last: "" })),
      (name, last) => folder.read(() => table.idsOfBucket(name, last, limit)),
      limit,
    );
  }
}

function* merged(
  buckets: readonly Bucket[],
  read: (name: string, last: string) => string[],
  limit: number,
): Generator<string[]> {
  let open = buckets;
  while (open.length > 0) {
    for (const bucket of open) if (refill(bucket, read, limit)) yield [];
    const end = earliestEnd(open);
    const group = open.flatMap((bucket) => takeUpTo(bucket, end));
    // Each bucket's part is in order already, which makes this cheap.
    if (group.length > 0) yield group.sort();
    open = open.filter(({ ids, last }) => ids.length > 0 || last !== undefined);
  }
}

/** Reads on before a bucket runs out: otherwise the groups would shrink to what the next one to run out has left. */
function refill(bucket: Bucket, read: (name: string, last: string) => string[], limit: number): boolean {
  if (bucket.ids.length > limit / 2 || bucket.last === undefined) return false;
  const ids = read(bucket.name, bucket.last);
  bucket.ids = bucket.ids.concat(ids);
  bucket.last = ids.length < limit ? undefined : ids.at(-1);
  return true;
}

/** Up to here every bucket was read; undefined where all of them were read to their ends. */
function earliestEnd(buckets: readonly Bucket[]): string | undefined {
  const ends = buckets.flatMap(({ last }) => (last === undefined ? [] : [last]));
  return ends.length === 0 ? undefined : ends.reduce((least, end) => (end < least ? end : least));
}

function takeUpTo(bucket: Bucket, end: string | undefined): string[] {
  const { ids } = bucket;
  // The bucket that ends there gives all: LMDB compares bytes and this UTF-16, which for foreign ids may differ.
  const beyond = end === undefined || bucket.last === end ? -1 : ids.findIndex((id) => id > end);
  bucket.ids = beyond < 0 ? [] : ids.slice(beyond);
  return beyond < 0 ? ids : ids.slice(0, beyond);
}
