import type { Database, RootDatabase, Transaction } from "lmdb";
import { SessionError } from "../errors";
import { LmdbCache } from "./lmdb-cache";
import { keyEncoder } from "./lmdb-key-encoder";
import { afterOwnerKey, idOfOwnerKey, ownerHash, ownerKey, ownerPrefix } from "./lmdb-owner-key";
import { firstNumber } from "./lmdb-packing";
import type { LmdbFormat, Versioned } from "./lmdb-record";
import { runOfKey } from "./lmdb-run";
import type { Run } from "./lmdb-run";
import { AFTER_ALL, bucketOf, isSameBucket } from "./tally-key";

/** What a table needs to know of its records. */
export interface Indexed {
  readonly id: string;
  readonly owner: string;
  readonly purgeAt: number;
  /** Only live ones have it. */
  readonly expiresAt?: number;
}

/** What the index of times tells of a record. */
export interface TimeEntry {
  /** `run.text + id`. */
  readonly key: string;
  readonly id: string;
  readonly run: Run;
  /** The hash of its owner. */
  readonly owner: number;
}

/** Ids are random, so one of 64 begins with this one of their characters, and none of theirs is between it and the next. */
const [SAMPLE, AFTER_SAMPLE] = ["A", "B"];
const SAMPLED_PART = 1 / 64;
const NOTHING = Buffer.alloc(0);

const RECORD_OPTIONS = { keyEncoder, encoding: "binary" as const, useVersions: true };

/** An entry of an index is a key, of that of times with a version: there is no value to be copied when it is read. */
type Index = Database<undefined, string>;

const INDEX_OPTIONS = {
  keyEncoder,
  encoder: { encode: () => NOTHING, decode: () => undefined },
  useVersions: false,
};

/**
 * The records of one state, live or ended, with an index of their owners and one of when they expire and may be cleared.
 *
 * Both indexes have the purge bucket in their keys, and an entry of the times has the hash of the owner as version: so what is due can be deleted from
 * all three without being read, and is not where it was given another bucket meanwhile.
 *
 * `insertion`, `removal` and `rewrite` prepare everything that can fail; what they answer only asks lmdb for writes. Called
 * inside `ifVersion` or `ifNoExists`, all of these happen in one transaction, or none. Reads see the snapshot that lmdb has open.
 */
export class LmdbTable<R extends Indexed> {
  readonly records: Database<Buffer, string>;
  readonly #owners: Index;
  readonly #times: Index;
  readonly #format: LmdbFormat<R>;
  readonly #cache = new LmdbCache<R>();

  constructor(root: RootDatabase, name: string, format: LmdbFormat<R>) {
    this.records = root.openDB(name, RECORD_OPTIONS);
    this.#owners = root.openDB(`${name}-owners`, INDEX_OPTIONS);
    this.#times = root.openDB(`${name}-times`, { ...INDEX_OPTIONS, useVersions: true });
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

  /** What `readAgain` answered last, or `keep` was given: for a write which comes to nothing where that is not what is stored any more. */
  lastKnown(id: string): Versioned<R> | undefined {
    return this.#cache.last(id);
  }

  /** Takes note that what is known of a record is not what is stored. */
  forget(id: string): void {
    this.#cache.forget(id);
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
    if (this.#keepsIndexes(before.record, after)) return this.records.put(after.id, packed, version, before.version);
    const reindex = this.#reindexing(before.record, after);
    return this.records.ifVersion(after.id, before.version, () => {
      void this.records.put(after.id, packed, version);
      reindex();
    });
  }

  #keepsIndexes(before: R, after: R): boolean {
    return (
      before.owner === after.owner &&
      isSameBucket(before.purgeAt, after.purgeAt) &&
      isSameBucket(before.expiresAt ?? 0, after.expiresAt ?? 0)
    );
  }

  /** A page of ids, in the order of the ids, from after `last` on. */
  ids(last: string | undefined, limit: number): string[] {
    return keysAfter(this.records, last, undefined, limit);
  }

  /**
   * A page of the ids that were stored under this owner, from after the id `last` on. An id may come twice, one next to the other, where a clearing was
   * ended before it had swept the index.
   */
  idsOfOwner(owner: string, last: string | undefined, limit: number): string[] {
    const hash = ownerHash(owner);
    const prefix = ownerPrefix(hash);
    const start = last === undefined ? prefix : afterOwnerKey(hash, last);
    return keysAfter(this.#owners, start, prefix + AFTER_ALL, limit).map(idOfOwnerKey);
  }

  /** The run of the first key from `start` on in the index of times. */
  runFrom(start: string, transaction?: Transaction): Run | undefined {
    const [first] = this.#times.getKeys({ start, limit: 1, ...(transaction && { transaction }) });
    return first === undefined ? undefined : runOfKey(first, this.#format.isGrouped);
  }

  /** How many records are in the index of times from `start` to before `end`. */
  countTimes(start: string, end: string, transaction: Transaction): number {
    return this.#times.getKeysCount({ start, end, transaction });
  }

  /** A page of a run, in the order of the ids, from after the id `last` on. */
  entriesOfRun(run: Run, last: string, limit: number): TimeEntry[] {
    const { text } = run;
    return Array.from(
      entriesAfter(this.#times, text + last, text + AFTER_ALL, limit),
      ({ key, version = 0 }): TimeEntry => ({ key, id: key.slice(text.length), run, owner: version }),
    );
  }

  /** How many records there are. */
  get size(): number {
    return entryCount(this.records);
  }

  /** How many entries of the index of owners lead to no record any more. */
  get ownersLeft(): number {
    return entryCount(this.#owners) - this.size;
  }

  /** About how many records a run has, by a part of them. */
  estimatedCount({ text }: Run): number {
    return this.#times.getKeysCount({ start: text + SAMPLE, end: text + AFTER_SAMPLE }) / SAMPLED_PART;
  }

  /** A page of the keys of the index of owners, from after `last` on. */
  ownerKeys(last: string | undefined, limit: number): string[] {
    return keysAfter(this.#owners, last, undefined, limit);
  }

  /** Removes keys from the index of owners, inside a transaction. What may be cleared later than it could before has another one by that very write. */
  removeOwnerKeys(keys: readonly string[]): void {
    for (const key of keys) this.#owners.removeSync(key);
  }

  /**
   * Deletes, inside a transaction, the records that are still in their runs, and so still as due as they were, and, where asked to, their owners' entries;
   * answers how many these were. Where one has got another owner meanwhile, the entry of that one stays, and leads to nothing. Each index has its turn, and
   * each run: LMDB searches and shifts what is on a page for each deletion, and so that page stays in the processor's cache.
   */
  removeFromRuns(entries: readonly TimeEntry[], alsoFromOwners: boolean): number {
    const removed = new Set<TimeEntry>();
    try {
      for (const ofRun of byRun(entries)) {
        for (const entry of ofRun) if (this.#times.removeSync(entry.key)) removed.add(entry);
      }
      for (const entry of entries) if (removed.has(entry)) this.records.removeSync(entry.id);
    } catch (error) {
      // What was written is committed all the same, and a record without its entry would never be due again.
      for (const { id, key, owner } of removed)
        if (this.records.doesExist(id)) this.#times.putSync(key, undefined, owner);
      throw error;
    }
    if (!alsoFromOwners) return removed.size;
    for (const { owner, id, run } of removed) this.#owners.removeSync(ownerKey(owner, id, run.purgeBucket));
    return removed.size;
  }

  #reindexing(before: R | undefined, after: R | undefined): () => void {
    const old = before === undefined ? undefined : this.#keysOf(before);
    const next = after === undefined ? undefined : this.#keysOf(after);
    return () => {
      if (old !== undefined && old.owner !== next?.owner) void this.#owners.remove(old.owner);
      if (old !== undefined && old.time !== next?.time) void this.#times.remove(old.time);
      if (next === undefined) return;
      void this.#owners.put(next.owner, undefined);
      void this.#times.put(next.time, undefined, next.ownerHash);
    };
  }

  #keysOf(record: R) {
    const owner = ownerHash(record.owner);
    return {
      ownerHash: owner,
      owner: ownerKey(owner, record.id, bucketOf(record.purgeAt)),
      time: this.#format.runOf(record) + record.id,
    };
  }
}

/** A version that no other write has, in this process or another: a condition on it can't be met by a stranger's write. */
export function nextVersion(): number {
  return 1 + Math.floor(Math.random() * Number.MAX_SAFE_INTEGER);
}

function entryCount(db: Database<unknown, string>): number {
  return (db.getStats() as { entryCount: number }).entryCount;
}

function keysAfter(db: Database<unknown, string>, last: string | undefined, end: string | undefined, limit: number) {
  const from = last === undefined ? {} : { start: last, exclusiveStart: true };
  return [...db.getKeys({ ...from, ...(end === undefined ? {} : { end }), limit })];
}

/** Keys with their versions; without reading the values too lmdb would not read these. */
function entriesAfter(db: Index, last: string, end: string | undefined, limit: number) {
  return db.getRange({
    start: last,
    exclusiveStart: true,
    ...(end === undefined ? {} : { end }),
    limit,
    versions: true,
  });
}

function byRun(entries: readonly TimeEntry[]): Iterable<TimeEntry[]> {
  const runs = new Map<Run, TimeEntry[]>();
  for (const entry of entries) {
    const ofRun = runs.get(entry.run);
    if (ofRun === undefined) runs.set(entry.run, [entry]);
    else ofRun.push(entry);
  }
  return runs.values();
}
