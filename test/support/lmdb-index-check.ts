import { isDeepStrictEqual } from "node:util";
import { open } from "lmdb";
import type { Database } from "lmdb";
import type { EndedRecord, SessionRecord } from "../../lib/record/session-record";
import { liveFormat } from "../../lib/stores/lmdb-record";
import { LmdbFolder } from "../../lib/stores/lmdb-folder";
import type { LmdbTable } from "../../lib/stores/lmdb-table";

const FOREVER = Number.MAX_SAFE_INTEGER;
const BUCKET_MS = 10 * 60_000;

/** Compares each index of a session folder with its records; answers what disagrees, in words. */
export async function indexFaults(path: string): Promise<string[]> {
  const folder = new LmdbFolder(path);
  const raw = open({ path, noSubdir: false });
  const entriesIn = (name: string) => raw.openDB(name, { encoding: "binary" }).getKeysCount();
  try {
    return folder.read(() =>
      (["live", "ended"] as const).flatMap((state) => {
        const table = folder[state] as LmdbTable<SessionRecord | EndedRecord>;
        const faults = tableFaults(table, entriesIn(`${state}-by-owner`));
        if (state === "live") faults.push(...tallyFaults(folder, raw.openDB("live-by-tally", { encoding: "binary" })));
        return faults.map((fault) => `${state}: ${fault}`);
      }),
    );
  } finally {
    await raw.close();
    await folder.close();
  }
}

function tallyFaults({ live }: LmdbFolder, tallies: Database<Buffer, string>): string[] {
  const wanted = live.ids(undefined, 1_000_000).map((id) => liveFormat.tallyOf!(live.read(id)!.record) + id);
  const entries = [...tallies.getKeys()];
  return isDeepStrictEqual(wanted.sort(), entries.sort())
    ? []
    : [`the tally entries are ${entries.join()}, not ${wanted.join()}`];
}

function tableFaults(table: LmdbTable<SessionRecord | EndedRecord>, ownerEntries: number): string[] {
  const faults: string[] = [];
  const ids = table.ids(undefined, 1_000_000);
  const byOwner = new Map<string, Set<string>>();
  const purgeKeys = new Set(
    table
      .dueBuckets(undefined, FOREVER, 1_000_000)
      .flatMap((bucket) => table.idsOfBucket(bucket, "", 1_000_000).map((id) => bucket + id)),
  );
  for (const id of ids) {
    const record = table.read(id)!.record;
    if (!byOwner.has(record.owner))
      byOwner.set(record.owner, new Set(table.idsOfOwner(record.owner, undefined, 1_000_000)));
    if (!byOwner.get(record.owner)!.delete(id)) faults.push(`${id} is missing under its owner`);
    if (record.purgeAt === Infinity) continue;
    const bucket = Math.floor(record.purgeAt / BUCKET_MS)
      .toString(36)
      .padStart(6, "0");
    if (!purgeKeys.delete(bucket + id)) faults.push(`${id} is missing under its purge time`);
  }
  if (ownerEntries !== ids.length) faults.push(`${ownerEntries} owner entries for ${ids.length} records`);
  for (const key of purgeKeys) faults.push(`${key} has a purge entry too many`);
  return faults;
}
