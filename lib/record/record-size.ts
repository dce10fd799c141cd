import { SessionError } from "../errors";
import { liveAttributes } from "./expiry";
import type { MapDelta, SessionDelta } from "./session-delta";
import type { AttributeRecord, Encoded, SecurityKeyRecord, SessionRecord } from "./session-record";
import { encodedBytes } from "./value/value-encoding";

/** What a record's own fields and each key take beside the values, in bytes: a high estimate. */
const RECORD_OVERHEAD = 512;
const KEY_OVERHEAD = 32;
/** What an attribute or a security key takes beside its value, in bytes. */
const TIMES_OVERHEAD = 32;

/**
 * The size of a record with these data, as `maxBytes` counts it: the bytes of keys and values in UTF-8, and the
 * overheads. Its pages are left out, so that opening one never stops the app from saving; they are bounded by themselves.
 */
export function recordBytes(record: SessionRecord, data: Readonly<Record<string, Encoded>>): number {
  let bytes = RECORD_OVERHEAD + record.owner.length + record.userAgent.length;
  for (const key of Object.keys(data)) bytes += entryBytes(key, data[key] ?? "");
  for (const [name, attribute] of Object.entries(record.attributes)) bytes += attributeBytes(name, attribute);
  for (const [name, key] of Object.entries(record.keys)) bytes += securityKeyBytes(name, key);
  return bytes + Object.keys(record.counters).length * KEY_OVERHEAD;
}

/** By how many bytes a change makes a record with these data grow; negative where it shrinks. */
export function recordGrowth(
  record: SessionRecord,
  data: Readonly<Record<string, Encoded>>,
  delta: SessionDelta,
): number {
  return (
    mapGrowth(data, delta.data, entryBytes) +
    mapGrowth(record.attributes, delta.attributes, attributeBytes) +
    mapGrowth(record.keys, delta.keys, securityKeyBytes)
  );
}

/** Refuses a new record of more than `maxBytes`: `SESSION_TOO_LARGE`. */
export function assertRecordFits(record: SessionRecord, maxBytes: number): void {
  assertBytes(recordBytes(record, record.data), maxBytes);
}

/**
 * Refuses a change after which the record, with these data, has more than `maxBytes`: `SESSION_TOO_LARGE`. A change
 * that shrinks it always fits; what has expired in it is not counted, as it goes with the change.
 */
export function assertChangeFits(
  record: SessionRecord,
  data: Readonly<Record<string, Encoded>>,
  change: SessionDelta,
  { maxBytes, now }: { readonly maxBytes: number; readonly now: () => number },
): void {
  const growth = recordGrowth(record, data, change);
  if (growth <= 0 || recordBytes(record, data) + growth <= maxBytes) return;
  const live = { ...record, attributes: liveAttributes(record.attributes, now()) };
  assertBytes(recordBytes(live, data) + recordGrowth(live, data, change), maxBytes);
}

function assertBytes(bytes: number, maxBytes: number): void {
  if (bytes <= maxBytes) return;
  throw new SessionError(
    "SESSION_TOO_LARGE",
    `The session would have ${bytes} bytes, and maxBytes is ${maxBytes}; keep large things elsewhere and their id here.`,
  );
}

function mapGrowth<T>(
  stored: Readonly<Record<string, T>>,
  delta: MapDelta<T> | undefined,
  bytesOf: (key: string, item: T) => number,
): number {
  if (delta === undefined) return 0;
  let growth = 0;
  const less = (key: string) => {
    const item = stored[key];
    if (item !== undefined) growth -= bytesOf(key, item);
  };
  for (const [key, item] of Object.entries(delta.set ?? {})) {
    growth += bytesOf(key, item);
    less(key);
  }
  delta.remove?.forEach(less);
  return growth;
}

function attributeBytes(name: string, attribute: AttributeRecord): number {
  return entryBytes(name, attribute.value) + TIMES_OVERHEAD;
}

function securityKeyBytes(name: string, key: SecurityKeyRecord): number {
  return entryBytes(name, key.payload) + TIMES_OVERHEAD;
}

function entryBytes(key: string, value: Encoded): number {
  return Buffer.byteLength(key) + encodedBytes(value) + KEY_OVERHEAD;
}
