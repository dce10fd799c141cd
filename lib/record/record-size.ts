import type { SessionDelta } from "./session-delta";
import type { Encoded, SessionRecord } from "./session-record";
import { encodedBytes } from "./value-encoding";

/** What a record's own fields and each key cost beside the values, in bytes: an estimate that is rather high. */
const RECORD_OVERHEAD = 512;
const KEY_OVERHEAD = 32;

/** The size of a record with these data in bytes, as `maxBytes` counts it: keys and values in UTF-8, and what it takes to keep them. */
export function recordBytes(record: SessionRecord, data: Readonly<Record<string, Encoded>>): number {
  let bytes = RECORD_OVERHEAD + record.owner.length + record.userAgent.length;
  for (const key of Object.keys(data)) bytes += entryBytes(key, data[key] ?? "");
  for (const [name, attribute] of Object.entries(record.attributes)) bytes += entryBytes(name, attribute.value);
  for (const [key, { payload }] of Object.entries(record.keys)) bytes += entryBytes(key, payload);
  for (const [page, { path }] of Object.entries(record.pages)) bytes += entryBytes(page, path);
  return bytes + Object.keys(record.counters).length * KEY_OVERHEAD;
}

/** By how many bytes a change of the data lets a record grow; negative where it shrinks. */
export function dataGrowth(stored: Readonly<Record<string, Encoded>>, delta: SessionDelta): number {
  let growth = 0;
  const set = delta.data?.set ?? {};
  for (const key of Object.keys(set)) growth += entryBytes(key, set[key] ?? "") - storedBytes(stored, key);
  for (const key of delta.data?.remove ?? []) growth -= storedBytes(stored, key);
  return growth;
}

function storedBytes(stored: Readonly<Record<string, Encoded>>, key: string): number {
  const value = stored[key];
  return value === undefined ? 0 : entryBytes(key, value);
}

function entryBytes(key: string, value: Encoded): number {
  return Buffer.byteLength(key) + encodedBytes(value) + KEY_OVERHEAD;
}
