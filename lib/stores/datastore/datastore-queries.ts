import { isUnreadable } from "../../errors";
import { isDue } from "../../record/expiry";
import type { EndedRecord, SessionGroup, SessionRecord } from "../../record/session-record";
import { afterGroup, groupOfKey, sweepRanges, tallyRanges } from "../index-keys";
import type { KeyRange } from "../index-keys";
import { matches } from "../store";
import type { ClearProgress, FindQuery, SessionTally, UnreadableQuery, UnreadableRecord } from "../store";
import type { DatastoreRpc } from "./calls/datastore-rpc";
import { indexedValue } from "./entity/properties";
import {
  HEADER_PROPERTIES,
  idOfEntity,
  readEnded,
  readLive,
  readLiveHeader,
  readPurgeAt,
} from "./entity/record-entity";
import { isKeyName } from "./size-limits";
import { CONFLICT_FAIL } from "./wire/messages";
import type { EntityResult, PropertyFilter } from "./wire/messages";

/** The most entities that a search reads at once. */
const FIND_BATCH_SIZE = 300;

type FoundRecord = SessionRecord | EndedRecord;

/**
 * The matching records of one kind, in batches. Equality filters in the order of keys need no composite index:
 * Datastore merges the built-in ones.
 */
export async function* findInDatastore(
  rpc: DatastoreRpc,
  kind: string,
  query: FindQuery,
): AsyncGenerator<FoundRecord[]> {
  const { id, limit = FIND_BATCH_SIZE } = query;
  const isHeader = query.state === "live" && query.fields === "header";
  const read = query.state === "ended" ? readEnded : isHeader ? readLiveHeader : readLive;
  const properties = isHeader ? HEADER_PROPERTIES : undefined;
  const filters = filtersOf(rpc, kind, query);
  const batches =
    id === undefined
      ? rpc.query(kind, filters, Math.min(limit, FIND_BATCH_SIZE), properties)
      : oneById(rpc, kind, id, properties);
  for await (const batch of batches) {
    const records = batch.map(({ entity }) => unlessUnreadable(() => read(entity)));
    yield records.filter((record) => record !== undefined && matches(record, query)) as FoundRecord[];
  }
}

/** The live records that can't be read, in batches. */
export async function* findUnreadableInDatastore(
  rpc: DatastoreRpc,
  kind: string,
  query: UnreadableQuery,
): AsyncGenerator<UnreadableRecord[]> {
  const { id } = query;
  const filters = filtersOf(rpc, kind, { state: "live", ...query });
  for await (const batch of id === undefined ? rpc.query(kind, filters, FIND_BATCH_SIZE) : oneById(rpc, kind, id)) {
    const unreadable = batch.filter(({ entity }) => unlessUnreadable(() => readLive(entity)) === undefined);
    yield unreadable.map(({ entity }) => ({
      id: idOfEntity(entity),
      owner: entity.properties.owner?.stringValue ?? "",
      isUnreadable: true,
    }));
  }
}

async function* oneById(
  rpc: DatastoreRpc,
  kind: string,
  id: string,
  properties?: readonly string[],
): AsyncGenerator<EntityResult[]> {
  const found = isKeyName(id) ? await rpc.lookup(rpc.key(kind, id), properties) : undefined;
  if (found !== undefined) yield [found];
}

function filtersOf(rpc: DatastoreRpc, kind: string, { owner, project, scope, after }: FindQuery): PropertyFilter[] {
  const filters = [...equal("owner", owner), ...equal("project", project), ...equal("scope", scope)];
  if (after === undefined) return filters;
  const value = { keyValue: rpc.key(kind, after) };
  return [...filters, { propertyFilter: { property: { name: "__key__" }, op: "GREATER_THAN", value } }];
}

function equal(name: string, text: string | undefined): PropertyFilter[] {
  return text === undefined ? [] : [{ propertyFilter: { property: { name }, op: "EQUAL", value: indexedValue(text) } }];
}

/** What `read` returns; undefined where the record is damaged or of a newer format. */
export function unlessUnreadable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isUnreadable(error)) return undefined;
    throw error;
  }
}

/**
 * Counts each group in all of its shards, as of one moment, by the index alone. One entity of each group is read, to
 * learn that the group exists.
 */
export async function tallyDatastore(rpc: DatastoreRpc, kind: string, now: number): Promise<SessionTally[]> {
  const groups: SessionGroup[] = [];
  for (let from = ""; ;) {
    const group = await firstGroup(rpc, kind, from);
    if (group === undefined) break;
    groups.push(group);
    from = afterGroup(group);
  }
  let readTime: object | undefined;
  const count = async ({ from, to }: KeyRange) => {
    const range = [tally("GREATER_THAN_OR_EQUAL", from), tally("LESS_THAN_OR_EQUAL", to)];
    const counted = await rpc.count(kind, range, readTime);
    readTime ??= counted.readTime;
    return counted.count;
  };
  const tallies: SessionTally[] = [];
  for (const group of groups) {
    const [first, ...others] = tallyRanges(group, now);
    if (first === undefined) continue;
    const counts = [await count(first), ...(await Promise.all(others.map(count)))];
    const live = counts.reduce((sum, each) => sum + each, 0);
    if (live > 0) tallies.push({ ...group, live });
  }
  return tallies;
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

/** The most mutations that Datastore takes in one commit. */
const CLEAR_BATCH_SIZE = 500;
/** How many shards are cleared at the same time. */
const CONCURRENCY = 8;

/**
 * Deletes what is due for clearing, in all shards of the kinds, and returns how many. Of each entity only `purgeAt` and
 * the version are read, however large it is.
 */
export async function clearDatastore(
  rpc: DatastoreRpc,
  kinds: readonly string[],
  now: number,
  onProgress?: ClearProgress,
): Promise<number> {
  let cleared = 0;
  const clearShard = async (kind: string, from: string, to: string) => {
    for await (const batch of rpc.query(
      kind,
      [sweep("GREATER_THAN_OR_EQUAL", from), sweep("LESS_THAN_OR_EQUAL", to)],
      CLEAR_BATCH_SIZE,
      ["purgeAt"],
    )) {
      const due = batch.filter(({ entity }) => isDue({ purgeAt: readPurgeAt(entity) }, now));
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

/** Deletes the entities that are still as they were read, and returns how many. */
async function deleteUnchanged(rpc: DatastoreRpc, entities: readonly EntityResult[]): Promise<number> {
  if (entities.length === 0) return 0;
  const deletes = entities.map(({ entity, version }) => ({
    delete: entity.key,
    baseVersion: version,
    conflictResolutionStrategy: CONFLICT_FAIL,
  }));
  if ((await rpc.commit(deletes, "atomic")) === "applied") return entities.length;
  // One of them was changed or cleared meanwhile, so nothing was deleted: try each half.
  if (entities.length === 1) return 0;
  const middle = entities.length >> 1;
  const first = await deleteUnchanged(rpc, entities.slice(0, middle));
  return first + (await deleteUnchanged(rpc, entities.slice(middle)));
}

/** Runs a few tasks at a time. After a failure no more are begun, and it rejects once those under way have settled. */
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
