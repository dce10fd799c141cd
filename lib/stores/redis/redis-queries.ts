import { isUnreadable } from "../../errors";
import { dueBefore } from "../../record/expiry";
import type { EndedRecord, SessionRecord } from "../../record/session-record";
import { bucketOf, groupKey, groupOfKey } from "../index-keys";
import { matches, OWNER_HEADERS_AT_ONCE } from "../store";
import type { ClearProgress, FindQuery, SessionTally, UnreadableQuery, UnreadableRecord } from "../store";
import { ownerIn, readEnded, readLive } from "./record-reading";
import type { RedisCalls } from "./redis-calls";
import type { Kind, RedisKeys } from "./redis-keys";
import { isOfMovingSlot } from "./redis-errors";
import { CLEAR, HEADER_PAGE, HEADERS } from "./scripts";

/** How many records are read at once: whole ones may be large. */
const HEADERS_AT_ONCE = OWNER_HEADERS_AT_ONCE;
const WHOLE_AT_ONCE = 50;
/** How many records one script clears: Redis does nothing else meanwhile. */
const CLEAR_BATCH = 100;
/** How many shards are cleared at the same time. */
const CONCURRENCY = 4;
/** How long a tally is kept after all that it counts have expired, in milliseconds: clocks differ. */
const TALLY_GRACE_MS = 60 * 60_000;

export interface RedisData {
  readonly calls: RedisCalls;
  readonly keys: RedisKeys;
}

interface Found {
  readonly id: string;
  /** What Redis returned for its hash. */
  readonly reply: unknown;
}

/** The records that match, in pages. */
export async function* findInRedis(
  redis: RedisData,
  query: FindQuery,
): AsyncGenerator<readonly (SessionRecord | EndedRecord)[]> {
  const kind = kindOf(query);
  let passedOver = 0;
  for await (const page of pages(redis, kind, query)) {
    const records: (SessionRecord | EndedRecord)[] = [];
    for (const { id, reply } of page) {
      const record = unlessUnreadable(() => (kind === "s" ? readLive(id, reply)?.record : readEnded(id, reply)));
      if (record === undefined) continue;
      if (matches(record, query)) passedOver = 0;
      else if ((passedOver += 1) !== query.progressEvery) continue;
      else passedOver = 0;
      records.push(record);
    }
    yield records;
  }
}

/** The live records that can't be read, in pages. */
export async function* findUnreadableInRedis(
  redis: RedisData,
  query: UnreadableQuery,
): AsyncGenerator<readonly UnreadableRecord[]> {
  for await (const page of pages(redis, "s", { state: "live", ...query })) {
    yield page.flatMap(({ id, reply }) => {
      if (isReadable(id, reply)) return [];
      const owner = ownerIn(reply);
      return (query.owner ?? owner) === owner ? [{ id, owner, isUnreadable: true as const }] : [];
    });
  }
}

/** Counts live sessions by the tallies of all shards. */
export async function tallyRedis({ calls, keys }: RedisData, now: number): Promise<SessionTally[]> {
  const tallies = new Map<string, SessionTally>();
  const replies = await Promise.all(
    keys.shards.map((shard) => calls.command("tally", keys.tallies(shard), ["HGETALL", keys.tallies(shard)])),
  );
  for (const [field, live] of replies.flatMap(talliesOf)) {
    const group = groupOfKey(field);
    if (group === undefined || live <= 0 || bucketIn(field) < bucketOf(now)) continue;
    const key = groupKey(group);
    tallies.set(key, { ...group, live: (tallies.get(key)?.live ?? 0) + live });
  }
  return [...tallies.values()];
}

/** Deletes what is due for clearing, in all shards, and returns how many. */
export async function clearRedis(redis: RedisData, now: number, onProgress?: ClearProgress): Promise<number> {
  const { keys } = redis;
  const shards = keys.shards.values();
  let cleared = 0;
  const work = async () => {
    for (const shard of shards) {
      for (const kind of ["s", "e"] as const) {
        for await (const deleted of clearings(redis, kind, shard, now)) {
          cleared += deleted;
          if (deleted > 0) onProgress?.(cleared);
        }
      }
      await clearTallies(redis, shard, now);
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: CONCURRENCY }, work));
  for (const each of ended) if (each.status === "rejected") throw each.reason;
  return cleared;
}

async function* clearings({ calls, keys }: RedisData, kind: Kind, shard: string, now: number): AsyncGenerator<number> {
  const touched = [keys.due(kind, shard), String(keys.ids(kind, shard, undefined)), keys.tallies(shard)];
  const args = [kind, String(dueBefore(now)), String(CLEAR_BATCH)];
  for (let deleted = CLEAR_BATCH; deleted === CLEAR_BATCH;) {
    deleted = Number(await calls.run("clear", CLEAR, touched, args));
    yield deleted;
  }
}

/** Forgets what is left of tallies of long ago: sessions that Redis has dropped by itself. */
async function clearTallies({ calls, keys }: RedisData, shard: string, now: number): Promise<void> {
  const key = keys.tallies(shard);
  const old = talliesOf(await calls.command("clear", key, ["HGETALL", key]))
    .map(([field]) => field)
    .filter((field) => bucketIn(field) < bucketOf(now - TALLY_GRACE_MS));
  if (old.length > 0) await calls.command("clear", key, ["HDEL", key, ...old]);
}

/** Records that may be what the query names, in the order of their ids. */
async function* pages(redis: RedisData, kind: Kind, query: FindQuery): AsyncGenerator<readonly Found[]> {
  const { id, after = "", fields, limit = Infinity } = query;
  if (id !== undefined) {
    yield await recordsOf(redis, kind, [id], fields);
    return;
  }
  const size = Math.max(1, Math.min(limit, fields === "header" ? HEADERS_AT_ONCE : WHOLE_AT_ONCE));
  const shards = redis.keys.shards.slice(after === "" ? 0 : redis.keys.shardOf(after));
  const page = (shard: string, from: string) => pageOf(redis, kind, shard, query, from, size);
  // An owner has few sessions, so the first pages of all shards are asked for together.
  const firsts = query.owner === undefined ? [] : shards.map((shard) => page(shard, after));
  for (const first of firsts) first.catch(() => undefined);
  for (const [index, shard] of shards.entries()) {
    let found = await (firsts[index] ?? page(shard, after));
    while (found.length > 0) {
      yield found;
      found = found.length < size ? [] : await page(shard, found.at(-1)?.id ?? "");
    }
  }
}

/** The records of a shard that come after an id. */
async function pageOf(
  redis: RedisData,
  kind: Kind,
  shard: string,
  { owner, fields }: FindQuery,
  after: string,
  size: number,
): Promise<readonly Found[]> {
  const { calls, keys } = redis;
  const index = keys.ids(kind, shard, owner);
  const [from, count] = [after === "" ? "-" : `(${after}`, String(size)];
  if (fields === "header") {
    try {
      const all = String(keys.ids(kind, shard, undefined));
      const page = (await calls.run("find", HEADER_PAGE, [all], [index, from, count])) as [Buffer[], unknown[]];
      return page[0].map((id, at) => ({ id: String(id), reply: page[1][at] }));
    } catch (error) {
      // While its slot moves to another node, a script reaches only the keys that it is given.
      if (!isOfMovingSlot(error)) throw error;
    }
  }
  const command = ["ZRANGEBYLEX", index, from, "+", "LIMIT", "0", count];
  const ids = (await calls.command("find", shard, command)) as readonly Buffer[];
  return recordsOf(redis, kind, ids.map(String), fields);
}

/** Those of them that are there. All ids lie in one shard. */
async function recordsOf(
  { calls, keys }: RedisData,
  kind: Kind,
  ids: readonly string[],
  fields: FindQuery["fields"],
): Promise<Found[]> {
  if (ids.length === 0) return [];
  const names = ids.map((id) => keys.record(kind, id));
  const replies =
    fields === "header"
      ? ((await calls.run("find", HEADERS, names, [])) as readonly unknown[])
      : await Promise.all(names.map((name) => calls.command("find", name, ["HGETALL", name])));
  return ids.map((id, index) => ({ id, reply: replies[index] }));
}

function kindOf({ state }: FindQuery): Kind {
  return state === "live" ? "s" : "e";
}

function isReadable(id: string, reply: unknown): boolean {
  let isSound = false;
  unlessUnreadable(() => {
    readLive(id, reply);
    isSound = true;
  });
  return isSound;
}

/** What `read` returns; undefined where the record is damaged or of a newer format. */
function unlessUnreadable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isUnreadable(error)) return undefined;
    throw error;
  }
}

/** The fields and counts of tallies. */
function talliesOf(reply: unknown): [field: string, live: number][] {
  const row = (reply instanceof Map ? [...reply].flat() : reply) as readonly Buffer[];
  return Array.from({ length: row.length / 2 }, (_, index) => [
    String(row[2 * index]),
    Number(String(row[2 * index + 1])),
  ]);
}

/** The bucket at the end of a tally's field: what it counts expires in it. */
function bucketIn(field: string): number {
  const bucket = field.slice(field.lastIndexOf("|") + 1);
  return bucket === "never" ? Infinity : Number(bucket);
}
