import type { SessionGroup } from "../../record/session-record";
import { afterGroup, groupOfKey, tallyRanges } from "../index-keys";
import type { SessionTally } from "../store";
import type { DatastoreRpc } from "./calls/datastore-rpc";
import { indexedValue } from "./entity/property-value";
import type { PropertyFilter } from "./wire/messages";

/** Counts each group in all of its shards by the index alone; of each group one entity is read, to learn that there is one. */
export async function tallyDatastore(rpc: DatastoreRpc, kind: string, now: number): Promise<SessionTally[]> {
  const tallies: SessionTally[] = [];
  for (let from = ""; ;) {
    const group = await firstGroup(rpc, kind, from);
    if (group === undefined) return tallies;
    from = afterGroup(group);
    const counts = await Promise.all(
      tallyRanges(group, now).map((range) =>
        rpc.count(kind, [tally("GREATER_THAN_OR_EQUAL", range.from), tally("LESS_THAN_OR_EQUAL", range.to)]),
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
