import type { SessionGroup } from "../../record/session-group";
import type { DatastoreRpc } from "./calls/datastore-rpc";
import { indexedValue } from "./entity/property-value";
import type { PropertyFilter } from "./wire/messages";
import type { SessionTally } from "../store";
import { AFTER_ALL, bucketOf, groupKey, groupOfKey } from "../tally-key";

const ID_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const SHARDS = "0123456789abcdef";

/**
 * What is counted: `group|shard|bucket`. Without the shard a group's index would grow at its end only, and Datastore serves such an
 * index from one place; more shards would spread more, and cost a query more each, for every group.
 */
export function tallyOf(id: string, group: SessionGroup, expiresAt: number): string {
  return groupKey(group) + shardOf(id) + bucketOf(expiresAt);
}

/** Counts each group in all of its shards by the index alone; of each group one entity is read, to learn that there is one. */
export async function tallyDatastore(rpc: DatastoreRpc, kind: string, now: number): Promise<SessionTally[]> {
  const tallies: SessionTally[] = [];
  for (let from = ""; ;) {
    const group = await firstGroup(rpc, kind, from);
    if (group === undefined) return tallies;
    const prefix = groupKey(group);
    from = prefix + AFTER_ALL;
    const counts = await Promise.all(
      Array.from(SHARDS, (shard) =>
        rpc.count(kind, [
          tally("GREATER_THAN_OR_EQUAL", prefix + shard + bucketOf(now)),
          tally("LESS_THAN_OR_EQUAL", prefix + shard + AFTER_ALL),
        ]),
      ),
    );
    const live = counts.reduce((sum, count) => sum + count, 0);
    if (live > 0) tallies.push({ ...group, live });
  }
}

async function firstGroup(rpc: DatastoreRpc, kind: string, from: string): Promise<SessionGroup | undefined> {
  for await (const [first] of rpc.query(kind, [tally("GREATER_THAN_OR_EQUAL", from)], 1, ["tally"])) {
    return groupOfKey(first?.entity.properties.tally?.stringValue ?? "");
  }
  return undefined;
}

function tally(op: "GREATER_THAN_OR_EQUAL" | "LESS_THAN_OR_EQUAL", text: string): PropertyFilter {
  return { propertyFilter: { property: { name: "tally" }, op, value: indexedValue(text) } };
}

function shardOf(id: string): string {
  return SHARDS.charAt(Math.max(0, ID_CHARACTERS.indexOf(id.charAt(0))) >> 2);
}
