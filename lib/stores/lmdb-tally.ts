import { setImmediate as nextTurn } from "node:timers/promises";
import type { Transaction } from "lmdb";
import type { LmdbFolder } from "./lmdb-folder";
import type { SessionTally } from "./store";
import { AFTER_ALL, bucketOf, groupKey, groupOfKey } from "./tally-key";

/** Counts each group by the index of times alone, jumping from group to group. */
export function tallyFolder(folder: LmdbFolder, now: number): Promise<SessionTally[]> {
  return folder.onSnapshot(async (snapshot) => {
    const tallies: SessionTally[] = [];
    for (let from = ""; ;) {
      const run = folder.live.runFrom(from, snapshot);
      const group = run && groupOfKey(run.text);
      if (group === undefined) return tallies;
      const prefix = groupKey(group);
      const live = await countGroup(folder, prefix, now, snapshot);
      if (live > 0) tallies.push({ ...group, live });
      from = prefix + AFTER_ALL;
    }
  });
}

/** One expiry bucket after the other, from that of `now` on: what has expired is not visited, and other requests have their turn after each. */
async function countGroup(folder: LmdbFolder, prefix: string, now: number, snapshot: Transaction): Promise<number> {
  let count = 0;
  for (let from = prefix + bucketOf(now); ;) {
    await nextTurn();
    folder.assertOpen();
    const run = folder.live.runFrom(from, snapshot);
    if (run?.lead.startsWith(prefix) !== true) return count;
    from = run.lead + AFTER_ALL;
    count += folder.live.countTimes(run.lead, from, snapshot);
  }
}
