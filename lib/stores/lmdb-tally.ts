import { setImmediate as nextTurn } from "node:timers/promises";
import type { LmdbFolder } from "./lmdb-folder";
import type { SessionTally } from "./store";
import { AFTER_ALL, expiryBucket, groupKey, groupOfKey } from "./tally-key";

/** Counts each group by its keys alone, jumping from group to group; other requests have their turn after each. */
export async function tallyFolder(folder: LmdbFolder, now: number): Promise<SessionTally[]> {
  const tallies: SessionTally[] = [];
  for (let from = ""; ;) {
    folder.assertOpen();
    const group = folder.read(() => {
      const key = folder.live.tallyKeyFrom(from);
      return key === undefined ? undefined : groupOfKey(key);
    });
    if (group === undefined) return tallies;
    const prefix = groupKey(group);
    from = prefix + AFTER_ALL;
    const live = folder.read(() => folder.live.tallyCount(prefix + expiryBucket(now), prefix + AFTER_ALL));
    if (live > 0) tallies.push({ ...group, live });
    await nextTurn();
  }
}
