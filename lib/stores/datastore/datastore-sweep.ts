import { CLEAR_GRACE_MS } from "../../record/expiry";

const SHARDS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const BUCKET_MS = 10 * 60_000;

/**
 * What the clearing job looks for: `shard|bucket`. An index on `purgeAt` itself would grow at its end only, and Datastore
 * serves such an index from one place; 64 shards spread it. The shard is the first character of the id, which for the
 * base64url of a hash is as good as drawn by lot; buckets of ten minutes leave most touches with the same text.
 */
export function sweepOf(id: string, purgeAt: number): string {
  return `${shardOf(id)}|${bucketOf(purgeAt)}`;
}

/** For each shard, the least and the greatest `sweep` among which everything is that may be cleared at `now`. */
export function sweepRanges(now: number): { readonly from: string; readonly to: string }[] {
  return Array.from(SHARDS, (shard) => ({ from: `${shard}|`, to: `${shard}|${bucketOf(now - CLEAR_GRACE_MS)}` }));
}

function shardOf(id: string): string {
  const first = id.charAt(0);
  return first !== "" && SHARDS.includes(first) ? first : "A";
}

function bucketOf(instant: number): string {
  return String(Math.max(0, Math.floor(instant / BUCKET_MS))).padStart(10, "0");
}
