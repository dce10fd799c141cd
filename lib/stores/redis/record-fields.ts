import { BYTES_SENT, groupOf } from "../../record/session-record";
import type { AttributeRecord, Encoded, Ending, SecurityKeyRecord, SessionRecord } from "../../record/session-record";
import type { MapDelta, SessionDelta } from "../../record/session-delta";
import { groupKey } from "../index-keys";
import { textBytes } from "./redis-keys";

/** An argument of a command. */
export type Argument = string | Buffer;

/**
 * The names of the fields in a record's hash. Those of the header are one small letter; those of an entry of a map begin
 * with the map's capital letter, and the rest is its key.
 */
export const FIELD = {
  ...{ v: "v", owner: "o", project: "p", scope: "s", createdAt: "c", lastSeenAt: "l", idleMs: "i", endsAt: "e" },
  ...{ expiresAt: "x", purgeAt: "u", remoteAddress: "r", userAgent: "a" },
  /** By whom it was created, and by whom it was last written: the scripts say how. */
  ...{ birth: "b", version: "n", group: "g" },
  ...{ endedAt: "t", reason: "w", endedBy: "y", message: "m", bytesSent: "k" },
} as const;
export const MAP = { data: "D", attributes: "A", keys: "K", pages: "P", counters: "C" } as const;
export const TEXT = "j";
export const BYTES = "b";

/** The fields and values of a new record. */
export function liveFields(record: SessionRecord): Argument[] {
  const { data, attributes, keys, pages, counters } = record;
  const fields: Argument[] = [
    ...[FIELD.v, String(record.v), FIELD.owner, textBytes(record.owner)],
    ...[FIELD.project, textBytes(record.project), FIELD.scope, textBytes(record.scope)],
    ...[FIELD.createdAt, String(record.createdAt), FIELD.lastSeenAt, String(record.lastSeenAt)],
    ...[FIELD.idleMs, String(record.idleMs), FIELD.endsAt, String(record.endsAt)],
    ...[FIELD.expiresAt, String(record.expiresAt), FIELD.purgeAt, String(record.purgeAt)],
    ...[FIELD.remoteAddress, textBytes(record.remoteAddress), FIELD.userAgent, textBytes(record.userAgent)],
    ...[FIELD.group, groupNames(record)],
  ];
  addMap(fields, MAP.data, data, encodedValue);
  addMap(fields, MAP.attributes, attributes, attributeValue);
  addMap(fields, MAP.keys, keys, keyValue);
  addMap(fields, MAP.pages, pages, (page) => JSON.stringify(page));
  addMap(fields, MAP.counters, counters, String);
  return fields;
}

/** The names in the key of a record's group, without who it is for: a script adds that. */
export function groupNames(record: SessionRecord): string {
  const [project = "", scope = ""] = groupKey(groupOf(record)).split("|");
  return `${project}|${scope}|`;
}

/** A change as arguments: how many fields to set, the fields and values; to remove; to add to. */
export function deltaArguments(delta: SessionDelta): Argument[] {
  const set: Argument[] = [];
  for (const name of ["lastSeenAt", "idleMs", "expiresAt", "purgeAt"] as const) {
    const value = delta[name];
    if (value !== undefined) set.push(FIELD[name], String(value));
  }
  if (delta.owner !== undefined) set.push(FIELD.owner, textBytes(delta.owner));
  addMap(set, MAP.data, delta.data?.set, encodedValue);
  addMap(set, MAP.attributes, delta.attributes?.set, attributeValue);
  addMap(set, MAP.keys, delta.keys?.set, keyValue);
  addMap(set, MAP.pages, delta.pages?.set, (page) => JSON.stringify(page));
  const removed: Argument[] = [];
  addRemoved(removed, MAP.data, delta.data);
  addRemoved(removed, MAP.attributes, delta.attributes);
  addRemoved(removed, MAP.keys, delta.keys);
  addRemoved(removed, MAP.pages, delta.pages);
  const added: Argument[] = [];
  addMap(added, MAP.counters, delta.counters, String);
  return [String(set.length), ...set, String(removed.length), ...removed, String(added.length), ...added];
}

/** The fields and values that an ending adds to those of the record. */
export function endingFields({ endedAt, reason, endedBy, message, purgeAt }: Ending): Argument[] {
  return [
    ...[FIELD.endedAt, String(endedAt), FIELD.reason, reason, FIELD.purgeAt, String(purgeAt)],
    ...(endedBy === null ? [] : [FIELD.endedBy, textBytes(endedBy)]),
    ...(message === undefined ? [] : [FIELD.message, textBytes(message)]),
  ];
}

/** What the scripts read by name. */
export const SCRIPT_FIELDS = {
  ...FIELD,
  bytesCounter: MAP.counters + BYTES_SENT,
  content: [MAP.data, MAP.attributes, MAP.keys],
};

function addMap<T>(
  fields: Argument[],
  letter: string,
  map: Readonly<Record<string, T>> | undefined,
  valueOf: (item: T) => Argument,
): void {
  if (map === undefined) return;
  for (const key of Object.keys(map)) fields.push(fieldName(letter, key), valueOf(map[key] as T));
}

function addRemoved(fields: Argument[], letter: string, delta: MapDelta<unknown> | undefined): void {
  for (const key of delta?.remove ?? []) fields.push(fieldName(letter, key));
}

function fieldName(letter: string, key: string): Argument {
  const name = textBytes(key);
  return typeof name === "string" ? letter + name : Buffer.concat([Buffer.from(letter), name]);
}

function encodedValue(value: Encoded): Argument {
  if (typeof value !== "string") return Buffer.concat([Buffer.from(BYTES), value]);
  const bytes = textBytes(value);
  return typeof bytes === "string" ? TEXT + bytes : Buffer.concat([Buffer.from(TEXT), bytes]);
}

/** The numbers of an entry, in one line before its value. */
function lined(numbers: readonly number[], value: Encoded): Buffer {
  return Buffer.concat([Buffer.from(`${numbers.join(" ")}\n`), Buffer.from(encodedValue(value))]);
}

function attributeValue({ value, encrypted, createdAt, modifiedAt, expiresAt }: AttributeRecord): Buffer {
  return lined([Number(encrypted), createdAt, modifiedAt, expiresAt], value);
}

function keyValue({ payload, createdAt, expiresAt }: SecurityKeyRecord): Buffer {
  return lined([createdAt, expiresAt], payload);
}
