import { SessionError } from "../../errors";
import { dictionary } from "../../record/session-record";
import type { MapDelta } from "../../record/session-delta";
import type { Encoded } from "../../record/session-record";
import { kindOf, quoted } from "../../record/shown-text";
import { encodeValue } from "../../record/value/value-encoding";
import { baselineOf, changedForm, decodedValue, isSameForm } from "./change-detection";

/** The longest key, in bytes of UTF-8. */
export const MAX_KEY_BYTES = 1024;

/** One key that was read, set or deleted in this session object. */
interface Cell {
  /** What the app holds; meaningless where `deleted`. */
  value: unknown;
  deleted: boolean;
  /** The stored form that `value` is compared with; undefined where the key is not stored. */
  baseline: Encoded | undefined;
  /** Whether it is still the primitive that was read, and need not be encoded again. */
  unchanged: boolean;
  /** Which of all changes here set or deleted it last; 0 where it was only read. */
  changedAs: number;
}

/** What has changed since load, ready to be written. */
export interface ValuesDelta extends MapDelta<Encoded> {
  readonly set: Record<string, Encoded>;
  readonly remove: readonly string[];
}

type Stored = Readonly<Record<string, Encoded>>;

const NOTHING_STORED: Stored = Object.freeze(dictionary<Encoded>());

/**
 * A session's data: the stored form of every key, and beside it a cell for each key that the app has read or set. A
 * value is decoded when it is first read.
 */
export class SessionValues {
  #stored: Stored;
  /** Whether `#stored` is this object's own, to be changed in place; what a store has handed out may be shared. */
  #ownsStored = false;
  readonly #cells = new Map<string, Cell>();
  #changes = 0;

  constructor(stored: Stored = NOTHING_STORED) {
    this.#stored = stored;
  }

  get(key: string): unknown {
    const cell = this.#cells.get(key) ?? this.#read(key);
    return cell === undefined || cell.deleted ? undefined : cell.value;
  }

  has(key: string): boolean {
    const cell = this.#cells.get(key);
    return cell === undefined ? this.#stored[key] !== undefined : !cell.deleted;
  }

  set(key: string, value: unknown): void {
    assertKey(key);
    const cell = this.#cells.get(key);
    if (cell === undefined) {
      this.#cells.set(key, {
        value,
        deleted: false,
        baseline: this.#stored[key],
        unchanged: false,
        changedAs: ++this.#changes,
      });
    } else {
      cell.value = value;
      cell.deleted = false;
      cell.unchanged = false;
      cell.changedAs = ++this.#changes;
    }
  }

  /** Whether the key was there. */
  delete(key: string): boolean {
    if (!this.has(key)) return false;
    const cell = this.#cells.get(key);
    if (cell === undefined) {
      this.#cells.set(key, {
        value: undefined,
        deleted: true,
        baseline: this.#stored[key],
        unchanged: false,
        changedAs: ++this.#changes,
      });
    } else {
      cell.value = undefined;
      cell.deleted = true;
      cell.unchanged = false;
      cell.changedAs = ++this.#changes;
    }
    return true;
  }

  keys(): string[] {
    if (this.#cells.size === 0) return Object.keys(this.#stored);
    const kept = Object.keys(this.#stored).filter((key) => this.#cells.get(key)?.deleted !== true);
    for (const [key, cell] of this.#cells) {
      if (!cell.deleted && this.#stored[key] === undefined) kept.push(key);
    }
    return kept;
  }

  get size(): number {
    return this.keys().length;
  }

  /** The changes since the load or the last `written`; undefined for none. Throws `SESSION_VALUE`. */
  delta(): ValuesDelta | undefined {
    let set: Record<string, Encoded> | undefined;
    let remove: string[] | undefined;
    for (const [key, cell] of this.#cells) {
      if (cell.unchanged) continue;
      if (cell.deleted) {
        if (cell.baseline !== undefined) (remove ??= []).push(key);
        continue;
      }
      const encoded = changedForm(key, cell.value, cell.baseline);
      if (encoded !== undefined) (set ??= dictionary())[key] = encoded;
    }
    return set === undefined && remove === undefined ? undefined : { set: set ?? dictionary(), remove: remove ?? [] };
  }

  /** The stored form of one key as the app sees it now; undefined where it is absent. */
  encoded(key: string): Encoded | undefined {
    const cell = this.#cells.get(key);
    if (cell === undefined) return this.#stored[key];
    if (cell.deleted) return undefined;
    return cell.unchanged ? cell.baseline : encodeValue(key, cell.value);
  }

  /** The stored form of every key, as it is known here. */
  get stored(): Stored {
    return this.#stored;
  }

  /** Whether the app has changed this key since load. */
  isChanged(key: string): boolean {
    return !isSameForm(this.encoded(key), this.#cells.get(key)?.baseline ?? this.#stored[key]);
  }

  /** Takes note that this delta is stored. What the app changed after the delta was taken is still a change. */
  written(delta: ValuesDelta): void {
    const stored = this.#own();
    for (const key of delta.remove) {
      Reflect.deleteProperty(stored, key);
      this.#rebase(key, undefined);
    }
    for (const key of Object.keys(delta.set)) {
      const encoded = delta.set[key];
      if (encoded !== undefined) stored[key] = encoded;
      this.#rebase(key, encoded);
    }
  }

  /** How often a key was set or deleted: what `adopt` and `restart` are given, to tell what came later. */
  get changes(): number {
    return this.#changes;
  }

  /** Takes over one key as it is stored now. What was set or deleted after `since` is still a change. */
  adopt(key: string, encoded: Encoded, since: number): void {
    this.#own()[key] = encoded;
    const cell = this.#cells.get(key);
    if (cell !== undefined && cell.changedAs > since) cell.baseline = encoded;
    else this.#cells.delete(key);
  }

  /**
   * Starts over from what is stored now, and forgets every change that is not later than `since`. A kept key is in
   * `stored` as the app sees it, so an object of it that the app holds stays connected.
   */
  restart(stored: Stored = NOTHING_STORED, keptKeys: readonly string[] = [], since = Infinity): void {
    this.#stored = stored;
    this.#ownsStored = false;
    for (const [key, cell] of this.#cells) {
      if (cell.changedAs > since || (keptKeys.includes(key) && !cell.deleted)) cell.baseline = stored[key];
      else this.#cells.delete(key);
    }
  }

  /** The stored form of these keys as the app sees them now; absent ones are left out. */
  pick(keys: readonly string[]): Record<string, Encoded> {
    const picked = dictionary<Encoded>();
    for (const key of keys) {
      const encoded = this.encoded(key);
      if (encoded !== undefined) picked[key] = encoded;
    }
    return picked;
  }

  #own(): Record<string, Encoded> {
    if (!this.#ownsStored) {
      this.#stored = Object.assign(dictionary<Encoded>(), this.#stored);
      this.#ownsStored = true;
    }
    return this.#stored;
  }

  #rebase(key: string, baseline: Encoded | undefined): void {
    const cell = this.#cells.get(key);
    if (cell !== undefined) cell.baseline = baseline;
  }

  #read(key: string): Cell | undefined {
    const encoded = this.#stored[key];
    if (encoded === undefined) return undefined;
    const value = decodedValue(key, encoded);
    const isPrimitive = typeof value !== "object" || value === null;
    const cell: Cell = {
      value,
      deleted: false,
      baseline: isPrimitive ? encoded : baselineOf(key, value, encoded),
      unchanged: isPrimitive,
      changedAs: 0,
    };
    this.#cells.set(key, cell);
    return cell;
  }
}

/** Refuses what can't be a key: `SESSION_ARGUMENT`. A key is any well-formed string of up to 1,024 bytes, even `""`. */
export function assertKey(key: unknown): asserts key is string {
  if (typeof key !== "string") {
    throw new SessionError("SESSION_ARGUMENT", `A session's key must be a string, not ${kindOf(key)}.`);
  }
  // A UTF-16 unit is 3 bytes of UTF-8 at most, so a short key needs no counting.
  if (key.length > MAX_KEY_BYTES / 3 && Buffer.byteLength(key) > MAX_KEY_BYTES) {
    throw new SessionError(
      "SESSION_ARGUMENT",
      `A session's key may have ${MAX_KEY_BYTES} bytes; ${quoted(key)} has ${Buffer.byteLength(key)}. Use a shorter one.`,
    );
  }
  if (!key.isWellFormed()) {
    throw new SessionError("SESSION_ARGUMENT", `The session key ${quoted(key)} is not well-formed Unicode.`);
  }
}
