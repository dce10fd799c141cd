import { SessionError } from "../../../errors";
import { dictionary } from "../../../record/session-record";
import type { Encoded } from "../../../record/session-record";
import type { Properties, Value } from "../wire/messages";

/**
 * Longest name of a property, in bytes. Datastore's limit is 1,500 for the whole path; a key of 1,024 bytes fits in
 * every form below.
 */
const MAX_NAME_BYTES = 1_450;

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BASE = BigInt(DIGITS.length);

/**
 * The property that holds a map's key. Datastore refuses the empty name and `__x__`, and its property paths split at
 * dots and want some characters quoted, in ways that its documentation leaves open. So every name is an identifier
 * (`[A-Za-z][A-Za-z0-9_]*`), which no rule of quoting touches: `k_` and the key where the key is made of such
 * characters, `x_` and its UTF-8 bytes in base 62 where it is not, `w_` and UTF-16 for what UTF-8 can't say (half a
 * surrogate pair).
 */
export function propertyName(key: string): string {
  const name = /^[A-Za-z0-9_]+$/.test(key) ? `k_${key}` : encodedName(key);
  if (name.length > MAX_NAME_BYTES) {
    throw new SessionError(
      "SESSION_ARGUMENT",
      `A key of ${Buffer.byteLength(key)} bytes is too long for Datastore; use at most 1,024 bytes.`,
    );
  }
  return name;
}

/** The key that `propertyName` made this name of; undefined where it made no such name. */
export function keyOfProperty(name: string): string | undefined {
  const rest = name.slice(2);
  if (name.startsWith("k_")) return rest;
  if (name.startsWith("x_")) return decode(rest)?.toString("utf8");
  if (name.startsWith("w_")) return decode(rest)?.toString("utf16le");
  return undefined;
}

function encodedName(key: string): string {
  const utf8 = Buffer.from(key, "utf8");
  return utf8.toString("utf8") === key ? `x_${encode(utf8)}` : `w_${encode(Buffer.from(key, "utf16le"))}`;
}

// A leading 1 keeps the zero bytes in front.
function encode(bytes: Buffer): string {
  let rest = BigInt(`0x1${bytes.toString("hex")}`);
  let text = "";
  for (; rest > 0n; rest /= BASE) text = DIGITS.charAt(Number(rest % BASE)) + text;
  return text;
}

function decode(text: string): Buffer | undefined {
  let number = 0n;
  for (const digit of text) {
    const value = DIGITS.indexOf(digit);
    if (value < 0) return undefined;
    number = number * BASE + BigInt(value);
  }
  const hex = number.toString(16);
  return hex.startsWith("1") && hex.length % 2 === 1 ? Buffer.from(hex.slice(1), "hex") : undefined;
}

/** The last instant that a Datastore timestamp can say, in milliseconds since the epoch: the end of the year 9999. */
const LAST_TIMESTAMP = 253_402_300_799_999;

// Every value is excluded from indexes by itself: Datastore limits an indexed string to 1,500 bytes, even in an
// embedded entity that is excluded as a whole.
export function textValue(text: string): Value {
  return { stringValue: text, excludeFromIndexes: true };
}

export function indexedValue(text: string): Value {
  return { stringValue: text };
}

/** Safe integers as integers; everything else, Infinity too, as a double. */
export function numberValue(number: number): Value {
  return Number.isSafeInteger(number)
    ? { integerValue: number, excludeFromIndexes: true }
    : { doubleValue: number, excludeFromIndexes: true };
}

export function booleanValue(boolean: boolean): Value {
  return { booleanValue: boolean, excludeFromIndexes: true };
}

export function nullableValue(text: string | null): Value {
  return text === null ? { nullValue: 0, excludeFromIndexes: true } : textValue(text);
}

export function encodedValue(encoded: Encoded): Value {
  return typeof encoded === "string" ? textValue(encoded) : { blobValue: encoded, excludeFromIndexes: true };
}

export function embedded(properties: Properties): Value {
  return { entityValue: { properties }, excludeFromIndexes: true };
}

/** Entries of one of a record's maps as an embedded entity. */
export function mapValue<T>(entries: readonly (readonly [string, T])[], valueOf: (item: T) => Value): Value {
  const properties: Properties = {};
  for (const [key, item] of entries) properties[propertyName(key)] = valueOf(item);
  return embedded(properties);
}

/** Undefined for an instant that never comes, or only after the year 9999. */
export function timestampValue(instant: number): Value | undefined {
  if (!(instant <= LAST_TIMESTAMP)) return undefined;
  const seconds = Math.floor(instant / 1000);
  return { timestampValue: { seconds, nanos: Math.round((instant - seconds * 1000) * 1e6) }, excludeFromIndexes: true };
}

/** Milliseconds since the epoch. */
export function instantOf({ seconds, nanos }: NonNullable<Value["timestampValue"]>): number {
  return Number(seconds) * 1000 + nanos / 1e6;
}

/** Reads properties of a stored entity; each method throws `SESSION_UNREADABLE` where it finds something else. */
export class PropertyReader {
  readonly #id: string;
  readonly #properties: Properties;

  constructor(id: string, properties: Properties) {
    this.#id = id;
    this.#properties = properties;
  }

  has(name: string): boolean {
    return this.#properties[name] !== undefined;
  }

  text(name: string): string {
    return this.#properties[name]?.stringValue ?? this.#damaged(name);
  }

  nullableText(name: string): string | null {
    return this.#properties[name]?.valueType === "nullValue" ? null : this.text(name);
  }

  number(name: string): number {
    const { integerValue, doubleValue } = this.#properties[name] ?? {};
    return integerValue === undefined ? (doubleValue ?? this.#damaged(name)) : Number(integerValue);
  }

  boolean(name: string): boolean {
    return this.#properties[name]?.booleanValue ?? this.#damaged(name);
  }

  encoded(name: string): Encoded {
    const { stringValue, blobValue } = this.#properties[name] ?? {};
    // A copy: the bytes lie in the memory of the whole response, which would live as long as they do.
    return stringValue ?? (blobValue === undefined ? this.#damaged(name) : new Uint8Array(blobValue));
  }

  /** `Infinity` where the property is missing. */
  instant(name: string): number {
    if (this.#properties[name] === undefined) return Infinity;
    return instantOf(this.#properties[name].timestampValue ?? this.#damaged(name));
  }

  map<T>(name: string, itemOf: (properties: PropertyReader, property: string) => T): Record<string, T> {
    const inner = this.#inner(name);
    const map = dictionary<T>();
    for (const property of Object.keys(inner.#properties)) {
      map[keyOfProperty(property) ?? this.#damaged(`${name}.${property}`)] = itemOf(inner, property);
    }
    return map;
  }

  /** One of a record's maps whose items are embedded entities themselves. */
  entities<T>(name: string, itemOf: (item: PropertyReader) => T): Record<string, T> {
    return this.map(name, (properties, property) => itemOf(properties.#inner(property)));
  }

  #inner(name: string): PropertyReader {
    const { properties } = this.#properties[name]?.entityValue ?? this.#damaged(name);
    return new PropertyReader(this.#id, properties);
  }

  #damaged(name: string): never {
    throw damagedError(this.#id, name);
  }
}

/** For a stored session of which a property is missing or of another type. */
export function damagedError(id: string, name: string): SessionError {
  return new SessionError(
    "SESSION_UNREADABLE",
    `The stored session ${id} is damaged: its property ${name} is missing or of another type. End it, or delete its entity.`,
  );
}
