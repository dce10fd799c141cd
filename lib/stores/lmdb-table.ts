import { hash } from "node:crypto";
import type { Database, RootDatabase } from "lmdb";
import { SessionError } from "../errors";
import { CLEAR_GRACE_MS } from "../record/expiry";
import { LmdbCache } from "./lmdb-cache";
import { firstNumber } from "./lmdb-packing";
import type { LmdbFormat, Versioned } from "./lmdb-record";
import { expiryBucket } from "./tally-key";

/** What a table needs to know of its records. */
export interface Indexed {
  readonly id: string;
  readonly owner: string;
  readonly purgeAt: number;
  /** Only live ones have it. */
  readonly expiresAt?: number;
}

/** The purge index is this coarse, in milliseconds, so that most touches leave it as it is. */
const BUCKET_MS = 10 * 60_000;
const BUCKET_DIGITS = 6;
const LAST_BUCKET = 36 ** BUCKET_DIGITS - 1;
const OWNER_DIGITS = 20;
const AFTER_EVERY_ID = "\u{10ffff}";
const NOTHING = Buffer.alloc(0);

/**
 * The records of one state, live or ended, with an index of their owners and one of when they may be cleared.
 *
 * `insertion`, `removal` and `rewrite` prepare everything that can fail; what they answer only asks lmdb for writes. Called
 * inside `ifVersion` or `ifNoExists`, all of these happen in one transaction, or none. Reads see the snapshot that lmdb has open.
 */
export class LmdbTable<R extends Indexed> {
  readonly records: Database<Buffer, string>;
  readonly #owners: Database<Buffer, string>;
  readonly #purges: Database<Buffer, string>;
  readonly #tallies: Database<Buffer, string> | undefined;
  readonly #format: LmdbFormat<R>;
  readonly #cache = new LmdbCache<R>();

  constructor(root: RootDatabase, name: string, format: LmdbFormat<R>) {
    this.records = root.openDB(name, { encoding: "binary", useVersions: true });
    this.#owners = root.openDB(`${name}-by-owner`, { encoding: "binary" });
    this.#purges = root.openDB(`${name}-by-purge`, { encoding: "binary" });
    if (format.tallyOf !== undefined) this.#tallies = root.openDB(`${name}-by-tally`, { encoding: "binary" });
    this.#format = format;
  }

  /** The record of this id; throws `SESSION_UNREADABLE`. */
  read(id: string): Versioned<R> | undefined {
    // LMDB's buffer is used again by the next read; `unpack` copies what it keeps.
    const packed = this.records.getBinaryFast(id);
    return packed === undefined ? undefined : this.#format.unpack(id, packed);
  }

  /** The same, and the very object that was answered before where it has not changed since: nobody changes it. */
  readAgain(id: string): Versioned<R> | undefined {
    const packed = this.records.getBinaryFast(id);
    if (packed === undefined) return undefined;
    const known = this.#cache.get(id, firstNumber(packed));
    if (known !== undefined) return known;
    const unpacked = this.#format.unpack(id, packed);
    this.#cache.keep(id, unpacked, packed.length);
    return unpacked;
  }

  /** Takes note of a record that was written, for `readAgain`. */
  keep(id: string, written: Versioned<R>, bytes: number): void {
    this.#cache.keep(id, written, bytes);
  }

  /** As `read`, but undefined also where what is stored can't be read. */
  readSound(id: string): Versioned<R> | undefined {
    try {
      return this.read(id);
    } catch (error) {
      if (error instanceof SessionError && error.code === "SESSION_UNREADABLE") return undefined;
      throw error;
    }
  }

  pack(record: R, version: number): Buffer {
    return this.#format.pack(record, version);
  }

  /** Also takes the place of `earlier`, a record of the same id. */
  insertion(record: R, earlier?: R): () => void {
    const version = nextVersion();
    const packed = this.pack(record, version);
    const reindex = this.#reindexing(earlier, record);
    return () => {
      void this.records.put(record.id, packed, version);
      reindex();
    };
  }

  removal(record: R): () => void {
    const reindex = this.#reindexing(record, undefined);
    return () => {
      void this.records.remove(record.id);
      reindex();
    };
  }

  /** Writes `after` over `before`, if that still has this version. */
  rewrite(before: Versioned<R>, after: R, packed: Buffer, version: number): Promise<boolean> {
    const { record } = before;
    if (
      record.owner === after.owner &&
      bucketOf(record.purgeAt) === bucketOf(after.purgeAt) &&
      (this.#tallies === undefined || expiryBucket(record.expiresAt ?? 0) === expiryBucket(after.expiresAt ?? 0))
    ) {
      return this.records.put(after.id, packed, version, before.version);
    }
    const reindex = this.#reindexing(record, after);
    return this.records.ifVersion(after.id, before.version, () => {
      void this.records.put(after.id, packed, version);
      reindex();
    });
  }

  /** A page of ids, in the order of the ids, from after `last` on. */
  ids(last: string | undefined, limit: number): string[] {
    return keysAfter(this.records, last, undefined, limit);
  }

  /** A page of the ids that were stored under this owner, from after the id `last` on. */
  idsOfOwner(owner: string, last: string | undefined, limit: number): string[] {
    const prefix = ownerPrefix(owner);
    const keys = keysAfter(this.#owners, prefix + (last ?? ""), prefix + AFTER_EVERY_ID, limit);
    return keys.map((key) => key.slice(OWNER_DIGITS));
  }

  /** The names of buckets of the purge index that may hold what is due at `now`: those after `last`, so many at most. */
  dueBuckets(last: string | undefined, now: number, limit: number): string[] {
    const end = bucketOf(now - CLEAR_GRACE_MS) + AFTER_EVERY_ID;
    const names: string[] = [];
    for (let after = last; names.length < limit; after = names.at(-1)) {
      const start = after === undefined ? undefined : after + AFTER_EVERY_ID;
      const [key] = keysAfter(this.#purges, start, end, 1);
      if (key === undefined) break;
      names.push(key.slice(0, BUCKET_DIGITS));
    }
    return names;
  }

  /** A page of the ids in a bucket of the purge index, in their order, from after the id `last` on. */
  idsOfBucket(name: string, last: string, limit: number): string[] {
    const keys = keysAfter(this.#purges, name + last, name + AFTER_EVERY_ID, limit);
    return keys.map((key) => key.slice(BUCKET_DIGITS));
  }

  /** The first key of the tally index from `start` on. */
  tallyKeyFrom(start: string): string | undefined {
    const [first] = this.#tallies?.getKeys({ start, limit: 1 }) ?? [];
    return first;
  }

  /** How many keys of the tally index are from `start` to before `end`. */
  tallyCount(start: string, end: string): number {
    return this.#tallies?.getKeysCount({ start, end }) ?? 0;
  }

  /** The removals come first, so that a key of both stays. */
  #reindexing(before: R | undefined, after: R | undefined): () => void {
    const oldKeys = before === undefined ? undefined : this.#keysOf(before);
    const newKeys = after === undefined ? undefined : this.#keysOf(after);
    return () => {
      if (oldKeys !== undefined) {
        void this.#owners.remove(oldKeys.owner);
        if (oldKeys.purge !== undefined) void this.#purges.remove(oldKeys.purge);
        if (oldKeys.tally !== undefined) void this.#tallies?.remove(oldKeys.tally);
      }
      if (newKeys !== undefined) {
        void this.#owners.put(newKeys.owner, NOTHING);
        if (newKeys.purge !== undefined) void this.#purges.put(newKeys.purge, NOTHING);
        if (newKeys.tally !== undefined) void this.#tallies?.put(newKeys.tally, NOTHING);
      }
    };
  }

  #keysOf(record: R) {
    const tally = this.#format.tallyOf?.(record);
    return {
      owner: ownerKey(record),
      purge: purgeKey(record),
      tally: tally === undefined ? undefined : tally + record.id,
    };
  }
}

/** A version that no other write has, in this process or another: a condition on it can't be met by a stranger's write. */
export function nextVersion(): number {
  return 1 + Math.floor(Math.random() * Number.MAX_SAFE_INTEGER);
}

function keysAfter(db: Database<Buffer, string>, last: string | undefined, end: string | undefined, limit: number) {
  const from = last === undefined ? {} : { start: last, exclusiveStart: true };
  return [...db.getKeys({ ...from, ...(end === undefined ? {} : { end }), limit })];
}

function ownerKey(record: Indexed): string {
  return ownerPrefix(record.owner) + record.id;
}

/** Any owner in a key of fixed width; who reads compares the owner, so that two of one hash stay apart. */
function ownerPrefix(owner: string): string {
  return hash("sha256", owner, "base64url").slice(0, OWNER_DIGITS);
}

/** Undefined for what is never cleared. */
function purgeKey(record: Indexed): string | undefined {
  return record.purgeAt < Infinity ? bucketOf(record.purgeAt) + record.id : undefined;
}

/** The bucket of an instant, in the order of time as text. */
function bucketOf(at: number): string {
  const bucket = Math.min(Math.max(Math.floor(at / BUCKET_MS), 0), LAST_BUCKET);
  return bucket.toString(36).padStart(BUCKET_DIGITS, "0");
}
