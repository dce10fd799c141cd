import { isDue } from "../../record/expiry";
import { readPurgeAt } from "./entity/record-entity";
import type { DatastoreRpc } from "./calls/datastore-rpc";
import { sweepRanges } from "../index-keys";
import { indexedValue } from "./entity/property-value";
import { CONFLICT_FAIL } from "./wire/messages";
import type { EntityResult, PropertyFilter } from "./wire/messages";
import type { ClearProgress } from "../store";

/** The most mutations that Datastore takes in one commit. */
const PAGE_SIZE = 500;
/** Shards that are cleared at the same time. */
const CONCURRENCY = 8;

/**
 * Deletes what was to be purged more than the grace ago, in all shards of the kinds, and answers how many. Of each entity only the
 * time and the version are read, however large it is.
 */
export async function clearDatastore(
  rpc: DatastoreRpc,
  kinds: readonly string[],
  now: number,
  onProgress?: ClearProgress,
): Promise<number> {
  let cleared = 0;
  const clearShard = async (kind: string, from: string, to: string) => {
    for await (const page of rpc.query(
      kind,
      [sweep("GREATER_THAN_OR_EQUAL", from), sweep("LESS_THAN_OR_EQUAL", to)],
      PAGE_SIZE,
      ["purgeAt"],
    )) {
      const due = page.filter(({ entity }) => isDue({ purgeAt: readPurgeAt(entity) }, now));
      const deleted = await deleteUnchanged(rpc, due);
      cleared += deleted;
      if (deleted > 0) onProgress?.(cleared);
    }
  };
  const shards = kinds.flatMap((kind) =>
    sweepRanges(now).map(
      ({ from, to }) =>
        () =>
          clearShard(kind, from, to),
    ),
  );
  await runAll(shards);
  return cleared;
}

/** Deletes those that are still as they were read, and answers how many. */
async function deleteUnchanged(rpc: DatastoreRpc, entities: readonly EntityResult[]): Promise<number> {
  if (entities.length === 0) return 0;
  const deletes = entities.map(({ entity, version }) => ({
    delete: entity.key,
    baseVersion: version,
    conflictResolutionStrategy: CONFLICT_FAIL,
  }));
  if ((await rpc.commit(deletes, "atomic")) === "applied") return entities.length;
  // One of them was changed or cleared meanwhile, and nothing was deleted: look for it in the halves.
  if (entities.length === 1) return 0;
  const middle = entities.length >> 1;
  const first = await deleteUnchanged(rpc, entities.slice(0, middle));
  return first + (await deleteUnchanged(rpc, entities.slice(middle)));
}

/** Runs a few at a time. After a failure no more are begun, and it rejects once those under way have settled. */
async function runAll(tasks: readonly (() => Promise<void>)[]): Promise<void> {
  const failures: unknown[] = [];
  const queue = tasks.values();
  const work = async () => {
    for (const task of queue) {
      if (failures.length > 0) return;
      await task().catch((error: unknown) => failures.push(error));
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  if (failures.length > 0) throw failures[0];
}

function sweep(op: "GREATER_THAN_OR_EQUAL" | "LESS_THAN_OR_EQUAL", text: string): PropertyFilter {
  return { propertyFilter: { property: { name: "sweep" }, op, value: indexedValue(text) } };
}
