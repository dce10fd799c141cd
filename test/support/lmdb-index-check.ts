import { hash } from "node:crypto";
import { open } from "lmdb";
import type { EndedRecord, SessionRecord } from "../../lib/record/session-record";
import { LmdbFolder } from "../../lib/stores/lmdb-folder";
import { endedRun, liveRun } from "../../lib/stores/lmdb-run";
import { bucketOf } from "../../lib/stores/tally-key";
import { rawDatabase } from "./raw-lmdb";

/** Compares each index of a session folder with its records; answers what disagrees, in words. */
export async function indexFaults(path: string): Promise<string[]> {
  const folder = new LmdbFolder(path);
  const raw = open({ path, noSubdir: false });
  try {
    return folder.read(() =>
      (["live", "ended"] as const).flatMap((state) => {
        const table = folder[state];
        const records = table.ids(undefined, 1_000_000).map((id) => table.read(id)!.record);
        const owners = rawDatabase(raw, `${state}-owners`);
        const times = rawDatabase(raw, `${state}-times`);
        return [
          ...differences(
            `${state} by owner`,
            [...owners.getKeys()],
            records.map((record) => `${prefixOf(record)}${record.id}\0${bucketOf(record.purgeAt)}`),
          ),
          ...differences(
            `${state} by time`,
            Array.from(times.getRange({ versions: true }), ({ key, version }) => `${key} ${version}`),
            records.map((record) => `${runOf(record)}${record.id} ${parseInt(prefixOf(record), 16)}`),
          ),
        ];
      }),
    );
  } finally {
    await raw.close();
    await folder.close();
  }
}

function prefixOf({ owner }: SessionRecord | EndedRecord): string {
  return hash("sha256", owner, "hex").slice(0, 13);
}

function runOf(record: SessionRecord | EndedRecord): string {
  return "expiresAt" in record ? liveRun(record) : endedRun(record);
}

function differences(index: string, entries: string[], wanted: string[]): string[] {
  const [inIndex, expected] = [new Set(entries), new Set(wanted)];
  return [
    ...wanted.filter((entry) => !inIndex.has(entry)).map((entry) => `${index}: ${entry} is missing`),
    ...entries.filter((entry) => !expected.has(entry)).map((entry) => `${index}: ${entry} is too many`),
  ];
}
