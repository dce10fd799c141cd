import { hash } from "node:crypto";
import { BUCKET_DIGITS } from "./tally-key";

/** Hexadecimal: 52 bits, which a number holds. */
const HASH_DIGITS = 13;
/** Stands between an id, which has none, and a bucket. It is before all that an id has, so the keys of one owner lie in the order of the ids. */
const SEPARATOR = "\0";
const AFTER_SEPARATOR = "\u0001";

/** Any owner in a number; who reads compares the owner, so that two of one hash stay apart. */
export function ownerHash(owner: string): number {
  return parseInt(hash("sha256", owner, "hex").slice(0, HASH_DIGITS), 16);
}

/** What the keys of an owner in the index of owners begin with. */
export function ownerPrefix(owner: number): string {
  return owner.toString(16).padStart(HASH_DIGITS, "0");
}

/** The key of a record there: `owner's hash, id, NUL, purge bucket`. */
export function ownerKey(owner: number, id: string, purgeBucket: string): string {
  return ownerPrefix(owner) + id + SEPARATOR + purgeBucket;
}

/** Comes after the keys of this id, and before those of the next one. */
export function afterOwnerKey(owner: number, id: string): string {
  return ownerPrefix(owner) + id + AFTER_SEPARATOR;
}

export function idOfOwnerKey(key: string): string {
  return key.slice(HASH_DIGITS, -SEPARATOR.length - BUCKET_DIGITS);
}

/** The bucket in which the record may be cleared. */
export function bucketOfOwnerKey(key: string): string {
  return key.slice(-BUCKET_DIGITS);
}
