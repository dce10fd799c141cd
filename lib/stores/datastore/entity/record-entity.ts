import type { MapDelta, SessionDelta } from "../../../record/session-delta";
import { dictionary, groupOf, RECORD_VERSION } from "../../../record/session-record";
import type {
  AttributeRecord,
  EndedRecord,
  EndReason,
  PageRecord,
  SecurityKeyRecord,
  SessionGroup,
  SessionRecord,
} from "../../../record/session-record";
import { sweepKey, tallyKey } from "../../index-keys";
import type { Entity, Key, Mutation, Properties, PropertyTransform, Value } from "../wire/messages";
import { assertFormat, readAttributes, readPages, readSecurityKeys, readStoredLive } from "./live-entity";
import {
  booleanValue,
  embedded,
  encodedValue,
  indexedValue,
  mapValue,
  nullableValue,
  numberValue,
  propertyName,
  PropertyReader,
  textValue,
  timestampValue,
} from "./properties";
import { StoredEntity } from "../wire/response-reader";

/** What a live record holds beside its maps. */
type Header = Omit<SessionRecord, "data" | "attributes" | "keys" | "pages" | "counters">;

/** What is read of a live entity to end it, however large its data are. */
export const ENDING_PROPERTIES: readonly string[] = [
  ...["v", "owner", "project", "scope", "createdAt", "lastSeenAt", "idleMs", "endsAt", "expiresAt", "purgeAt"],
  ...["remoteAddress", "userAgent", "counters"],
];

/** What is read of a live entity for a query that asks for headers. */
export const HEADER_PROPERTIES: readonly string[] = [...ENDING_PROPERTIES, "pages"];

/**
 * When clearing may take the entity: `purgeAt`, a timestamp for Datastore's TTL policy, and `sweep` for the clearing
 * job. A session without an end has neither.
 */
function purgeProperties(id: string, purgeAt: number): Properties {
  const timestamp = timestampValue(purgeAt);
  return timestamp === undefined ? {} : { purgeAt: timestamp, sweep: indexedValue(sweepKey(id, purgeAt)) };
}

/** A live record as the properties of its entity. Only `owner`, `project`, `scope`, `sweep` and `tally` are indexed. */
export function liveProperties(record: SessionRecord): Properties {
  return {
    ...sharedProperties(record),
    idleMs: numberValue(record.idleMs),
    endsAt: numberValue(record.endsAt),
    expiresAt: numberValue(record.expiresAt),
    tally: tallyValue(record.id, groupOf(record), record.expiresAt),
    data: mapValue(Object.entries(record.data), encodedValue),
    attributes: mapValue(Object.entries(record.attributes), attributeValue),
    keys: mapValue(Object.entries(record.keys), securityKeyValue),
    pages: mapValue(Object.entries(record.pages), pageValue),
    counters: mapValue(Object.entries(record.counters), numberValue),
  };
}

/** What is counted; see `tallyKey`. */
function tallyValue(id: string, group: SessionGroup, expiresAt: number): Value {
  return indexedValue(tallyKey(id, group, expiresAt));
}

export function endedProperties(record: EndedRecord): Properties {
  return {
    ...sharedProperties(record),
    endedAt: numberValue(record.endedAt),
    reason: textValue(record.reason),
    endedBy: nullableValue(record.endedBy),
    ...(record.message === undefined ? undefined : { message: textValue(record.message) }),
    ...(record.bytesSent === undefined ? undefined : { bytesSent: numberValue(record.bytesSent) }),
  };
}

function sharedProperties(record: SessionRecord | EndedRecord): Properties {
  return {
    v: numberValue(record.v),
    owner: indexedValue(record.owner),
    project: indexedValue(record.project),
    scope: indexedValue(record.scope),
    createdAt: numberValue(record.createdAt),
    lastSeenAt: numberValue(record.lastSeenAt),
    remoteAddress: textValue(record.remoteAddress),
    userAgent: textValue(record.userAgent),
    ...purgeProperties(record.id, record.purgeAt),
  };
}

function attributeValue(attribute: AttributeRecord): Value {
  return embedded({
    value: encodedValue(attribute.value),
    encrypted: booleanValue(attribute.encrypted),
    createdAt: numberValue(attribute.createdAt),
    modifiedAt: numberValue(attribute.modifiedAt),
    expiresAt: numberValue(attribute.expiresAt),
  });
}

function securityKeyValue(key: SecurityKeyRecord): Value {
  return embedded({
    payload: encodedValue(key.payload),
    createdAt: numberValue(key.createdAt),
    expiresAt: numberValue(key.expiresAt),
  });
}

function pageValue(page: PageRecord): Value {
  return embedded({
    path: textValue(page.path),
    title: textValue(page.title),
    openedAt: numberValue(page.openedAt),
    seenAt: numberValue(page.seenAt),
  });
}

/** The id of the record that an entity holds: the name of its key. */
export function idOfEntity(entity: Entity): string {
  return entity instanceof StoredEntity ? entity.id : (entity.key.path.at(-1)?.name ?? "");
}

/** The live record that an entity holds. `SESSION_UNREADABLE` where it is damaged or of a newer format. */
export function readLive(entity: Entity): SessionRecord {
  if (entity instanceof StoredEntity) return readStoredLive(entity);
  const from = readerOf(entity);
  return {
    ...readHeader(entity, from),
    data: from.map("data", (data, key) => data.encoded(key)),
    attributes: readAttributes(from),
    keys: readSecurityKeys(from),
    pages: readPages(from),
    counters: readCounters(from),
  };
}

/** The live record without its data, attributes and keys; the entity may have been read without them. */
export function readLiveHeader(entity: Entity): SessionRecord {
  return { ...readEnding(entity), pages: readPages(readerOf(entity)) };
}

/**
 * The live record as far as it is kept when it ends: of its maps, only the counters. The entity may have been read
 * without the rest.
 */
export function readEnding(entity: Entity): SessionRecord {
  const from = readerOf(entity);
  const none = dictionary<never>();
  return {
    ...readHeader(entity, from),
    data: none,
    attributes: none,
    keys: none,
    pages: none,
    counters: readCounters(from),
  };
}

function readHeader(entity: Entity, from: PropertyReader): Header {
  return {
    ...readShared(entity, from),
    idleMs: from.number("idleMs"),
    endsAt: from.number("endsAt"),
    expiresAt: from.number("expiresAt"),
  };
}

function readCounters(from: PropertyReader): Record<string, number> {
  return from.map("counters", (counters, name) => counters.number(name));
}

export function readEnded(entity: Entity): EndedRecord {
  const from = readerOf(entity);
  return {
    ...readShared(entity, from),
    endedAt: from.number("endedAt"),
    reason: from.text("reason") as EndReason,
    endedBy: from.nullableText("endedBy"),
    ...(from.has("message") ? { message: from.text("message") } : undefined),
    ...(from.has("bytesSent") ? { bytesSent: from.number("bytesSent") } : undefined),
  };
}

/** When clearing may take the entity; it may have been read without the rest. */
export function readPurgeAt(entity: Entity): number {
  return new PropertyReader(idOfEntity(entity), entity.properties).instant("purgeAt");
}

function readShared(entity: Entity, from: PropertyReader) {
  return {
    v: RECORD_VERSION,
    id: idOfEntity(entity),
    owner: from.text("owner"),
    project: from.text("project"),
    scope: from.text("scope"),
    createdAt: from.number("createdAt"),
    lastSeenAt: from.number("lastSeenAt"),
    remoteAddress: from.text("remoteAddress"),
    userAgent: from.text("userAgent"),
    purgeAt: from.instant("purgeAt"),
  } as const;
}

function readerOf(entity: Entity): PropertyReader {
  const id = idOfEntity(entity);
  const reader = new PropertyReader(id, entity.properties);
  assertFormat(id, reader.number("v"));
  return reader;
}

/**
 * The mutation that writes what the delta names and nothing else: a path in the mask without a value is deleted, and a
 * path that is not in the mask stays. Datastore adds to the counters. It fails where there is no such entity.
 */
export function updateMutation(key: Key, id: string, delta: SessionDelta): Mutation {
  const properties: Properties = {};
  const paths: string[] = [];

  const set = (name: string, value: Value) => {
    properties[name] = value;
    paths.push(name);
  };
  if (delta.owner !== undefined) set("owner", indexedValue(delta.owner));
  if (delta.lastSeenAt !== undefined) set("lastSeenAt", numberValue(delta.lastSeenAt));
  if (delta.idleMs !== undefined) set("idleMs", numberValue(delta.idleMs));
  if (delta.expiresAt !== undefined) set("expiresAt", numberValue(delta.expiresAt));
  if (delta.expiresAt !== undefined && delta.group !== undefined) {
    set("tally", tallyValue(id, delta.group, delta.expiresAt));
  }
  if (delta.purgeAt !== undefined) {
    Object.assign(properties, purgeProperties(id, delta.purgeAt));
    paths.push("purgeAt", "sweep");
  }

  changeMap("data", delta.data, encodedValue, properties, paths);
  changeMap("attributes", delta.attributes, attributeValue, properties, paths);
  changeMap("keys", delta.keys, securityKeyValue, properties, paths);
  changeMap("pages", delta.pages, pageValue, properties, paths);

  return {
    update: { key, properties },
    propertyMask: { paths },
    propertyTransforms: increments(delta.counters ?? {}),
  };
}

/** A key that is both set and removed is removed. */
function changeMap<T>(
  name: string,
  map: MapDelta<T> | undefined,
  valueOf: (item: T) => Value,
  properties: Properties,
  paths: string[],
): void {
  if (map === undefined) return;
  const { set = {}, remove = [] } = map;
  const removed = remove.length === 0 ? undefined : new Set(remove);
  let written: Properties | undefined;
  for (const key of Object.keys(set)) {
    const item = set[key];
    if (item === undefined || removed?.has(key) === true) continue;
    const property = propertyName(key);
    (written ??= {})[property] = valueOf(item);
    paths.push(`${name}.${property}`);
  }
  if (written !== undefined) properties[name] = embedded(written);
  for (const key of removed ?? []) paths.push(`${name}.${propertyName(key)}`);
}

function increments(counters: NonNullable<SessionDelta["counters"]>): PropertyTransform[] {
  const transforms: PropertyTransform[] = [];
  for (const name of Object.keys(counters)) {
    transforms.push({ property: `counters.${propertyName(name)}`, increment: numberValue(counters[name] ?? 0) });
  }
  return transforms;
}
