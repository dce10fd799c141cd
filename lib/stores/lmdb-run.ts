import { groupOf } from "../record/session-group";
import type { SessionRecord } from "../record/session-record";
import { BUCKET_DIGITS, bucketOf, groupKey, groupOfKey } from "./tally-key";

/**
 * Records of one group that expire within the same ten minutes, and may be cleared from within the same ten minutes on. The index of times
 * holds them next to each other: `group|expiry bucket, purge bucket, id`; of ended records, which have no group to be counted in,
 * `purge bucket, id`.
 */
export interface Run {
  /** What its keys begin with. */
  readonly text: string;
  /** The same without the purge bucket: runs of one lead lie in the order of their purge buckets. */
  readonly lead: string;
  readonly purgeBucket: string;
}

/** What the key of a live record in the index of times begins with. */
export function liveRun(record: SessionRecord): string {
  return groupKey(groupOf(record)) + bucketOf(record.expiresAt) + bucketOf(record.purgeAt);
}

/** The same for an ended record. */
export function endedRun({ purgeAt }: { readonly purgeAt: number }): string {
  return bucketOf(purgeAt);
}

/** The run that a key is of. */
export function runOfKey(key: string, isGrouped: boolean): Run {
  const group = isGrouped ? groupOfKey(key) : undefined;
  const leadDigits = group === undefined ? 0 : groupKey(group).length + BUCKET_DIGITS;
  return {
    text: key.slice(0, leadDigits + BUCKET_DIGITS),
    lead: key.slice(0, leadDigits),
    purgeBucket: key.slice(leadDigits, leadDigits + BUCKET_DIGITS),
  };
}
