import { dueBefore } from "../record/expiry";
import type { SessionGroup } from "../record/session-record";

/*
 * What stores keep in their indexes: buckets instead of instants, so that most touches leave an index as it is, and
 * shards in front of whatever grows with time. In a distributed store, an index that only grows at its end is served by
 * one machine.
 */

/** The characters of an id (base64url), in the order of their values. */
const ID_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/** How long a bucket is, in milliseconds. */
export const BUCKET_MS = 10 * 60_000;
/** How many digits a bucket has in a tally key (base 36), and in a sweep key (decimal). */
const TALLY_DIGITS = 6;
const SWEEP_DIGITS = 10;
const LAST_BUCKET = 36 ** TALLY_DIGITS - 1;
/** More shards would spread the tally's index more, and cost one more query each, for every group. */
const TALLY_SHARDS = "0123456789abcdef";
/** How many characters of each name are in a group key, so that no key is too long for a store. */
const NAME_LENGTH = 64;
const SIGNED_IN = "user";
const GUEST = "guest";
/** Comes after every key that begins with the text in front of it. */
const AFTER_ALL = "\u{10ffff}";

/** The first and the last key of a part of an index. */
export interface KeyRange {
  readonly from: string;
  readonly to: string;
}

/** The number, counted from the epoch, of the ten minutes that an instant lies in (milliseconds since the epoch). */
export function bucketOf(at: number): number {
  return Math.min(Math.max(Math.floor(at / BUCKET_MS), 0), LAST_BUCKET);
}

/**
 * What the clearing job looks for: `shard|bucket`. Its 64 shards are the first characters of ids, which are as good as
 * random.
 */
export function sweepKey(id: string, purgeAt: number): string {
  const first = id.charAt(0);
  return sweepKeyOf(first !== "" && ID_CHARACTERS.includes(first) ? first : "A", purgeAt);
}

/**
 * For each shard, the range of the sweep keys of everything that is due for clearing at `now`; the last bucket may hold
 * more than that.
 */
export function sweepRanges(now: number): KeyRange[] {
  return Array.from(ID_CHARACTERS, (shard) => ({ from: `${shard}|`, to: sweepKeyOf(shard, dueBefore(now)) }));
}

/** A group as text: the same for the same group, and no text of one group begins that of another. */
export function groupKey({ project, scope, isGuest }: SessionGroup): string {
  return `${nameInKey(project)}|${nameInKey(scope)}|${isGuest ? GUEST : SIGNED_IN}|`;
}

/** The group of a key that begins with a group key; undefined for any other text. */
export function groupOfKey(key: string): SessionGroup | undefined {
  const [project, scope, who, rest] = key.split("|", 4);
  if (project === undefined || scope === undefined || rest === undefined) return undefined;
  return { project: decodeURIComponent(project), scope: decodeURIComponent(scope), isGuest: who === GUEST };
}

/** What live sessions are counted by: `group|shard bucket`, without the space. */
export function tallyKey(id: string, group: SessionGroup, expiresAt: number): string {
  const shard = TALLY_SHARDS.charAt(Math.max(0, ID_CHARACTERS.indexOf(id.charAt(0))) >> 2);
  return groupKey(group) + shard + tallyBucket(expiresAt);
}

/** For each shard, the range of the tally keys of a group's sessions that have not expired at `now`, to the bucket. */
export function tallyRanges(group: SessionGroup, now: number): KeyRange[] {
  const prefix = groupKey(group);
  return Array.from(TALLY_SHARDS, (shard) => ({
    from: prefix + shard + tallyBucket(now),
    to: prefix + shard + AFTER_ALL,
  }));
}

/** Comes after every tally key of a group, and before those of the next one. */
export function afterGroup(group: SessionGroup): string {
  return groupKey(group) + AFTER_ALL;
}

function sweepKeyOf(shard: string, at: number): string {
  return `${shard}|${String(bucketOf(at)).padStart(SWEEP_DIGITS, "0")}`;
}

function tallyBucket(at: number): string {
  return bucketOf(at).toString(36).padStart(TALLY_DIGITS, "0");
}

function nameInKey(name: string): string {
  return encodeURIComponent(name.slice(0, NAME_LENGTH).toWellFormed());
}
