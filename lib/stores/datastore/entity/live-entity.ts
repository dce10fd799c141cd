import { dictionary, NewerFormatError, RECORD_VERSION } from "../../../record/session-record";
import type {
  AttributeRecord,
  Encoded,
  PageRecord,
  SecurityKeyRecord,
  SessionRecord,
} from "../../../record/session-record";
import { readTimestamp, readValue } from "../wire/response-reader";
import type { StoredEntity } from "../wire/response-reader";
import { KnownTexts } from "../wire/protobuf-reader";
import type { ProtobufReader } from "../wire/protobuf-reader";
import { damagedError, instantOf, keyOfProperty, PropertyReader } from "./properties";

/**
 * The parts of a live record that were found in its entity's bytes; undefined where a part is missing or of another
 * type.
 */
interface Found {
  v: number | undefined;
  owner: string | undefined;
  project: string | undefined;
  scope: string | undefined;
  createdAt: number | undefined;
  lastSeenAt: number | undefined;
  idleMs: number | undefined;
  endsAt: number | undefined;
  expiresAt: number | undefined;
  purgeAt: number | undefined;
  remoteAddress: string | undefined;
  userAgent: string | undefined;
  /** Where the value of each map begins. Their content is not read before the format is known. */
  data: number | undefined;
  attributes: number | undefined;
  keys: number | undefined;
  pages: number | undefined;
  counters: number | undefined;
}

type Taker = (found: Found, from: ProtobufReader) => void;

/** What is done with the value of each property; the entity's other properties are for Datastore's indexes. */
const TAKERS: Record<keyof Found, Taker> = {
  v: (found, from) => (found.v = readNumber(from)),
  owner: (found, from) => (found.owner = readText(from)),
  project: (found, from) => (found.project = readText(from)),
  scope: (found, from) => (found.scope = readText(from)),
  createdAt: (found, from) => (found.createdAt = readNumber(from)),
  lastSeenAt: (found, from) => (found.lastSeenAt = readNumber(from)),
  idleMs: (found, from) => (found.idleMs = readNumber(from)),
  endsAt: (found, from) => (found.endsAt = readNumber(from)),
  expiresAt: (found, from) => (found.expiresAt = readNumber(from)),
  purgeAt: (found, from) => (found.purgeAt = readInstant(from)),
  remoteAddress: (found, from) => (found.remoteAddress = readText(from)),
  userAgent: (found, from) => (found.userAgent = readText(from)),
  data: (found, from) => (found.data = from.at),
  attributes: (found, from) => (found.attributes = from.at),
  keys: (found, from) => (found.keys = from.at),
  pages: (found, from) => (found.pages = from.at),
  counters: (found, from) => (found.counters = from.at),
};

const KNOWN_TAKERS = new KnownTexts((name): Taker | undefined =>
  Object.hasOwn(TAKERS, name) ? TAKERS[name as keyof Found] : undefined,
);
const KNOWN_KEYS = new KnownTexts((property) => ({ property, key: keyOfProperty(property) }));

/** Most maps of most records are empty, and nobody changes a record that a store returned. */
const EMPTY = Object.freeze(dictionary<never>());

/**
 * The live record that an entity holds, straight from its bytes: every request with a session waits for this, and an
 * object for each value would be most of what a load allocates. `SESSION_UNREADABLE` where it is damaged or of a newer
 * format.
 */
export function readStoredLive(entity: StoredEntity): SessionRecord {
  const { id } = entity;
  const { from, end } = entity.fields();
  const found = find(from, end);
  assertFormat(id, found.v ?? damaged(id, "v"));
  return {
    v: RECORD_VERSION,
    id,
    owner: found.owner ?? damaged(id, "owner"),
    project: found.project ?? damaged(id, "project"),
    scope: found.scope ?? damaged(id, "scope"),
    createdAt: found.createdAt ?? damaged(id, "createdAt"),
    lastSeenAt: found.lastSeenAt ?? damaged(id, "lastSeenAt"),
    idleMs: found.idleMs ?? damaged(id, "idleMs"),
    endsAt: found.endsAt ?? damaged(id, "endsAt"),
    expiresAt: found.expiresAt ?? damaged(id, "expiresAt"),
    purgeAt: found.purgeAt ?? damaged(id, "purgeAt"),
    remoteAddress: found.remoteAddress ?? damaged(id, "remoteAddress"),
    userAgent: found.userAgent ?? damaged(id, "userAgent"),
    data: readMap(id, "data", from, found.data, readEncoded),
    attributes: readEntities(id, "attributes", from, found.attributes, readAttributes),
    keys: readEntities(id, "keys", from, found.keys, readSecurityKeys),
    pages: readEntities(id, "pages", from, found.pages, readPages),
    counters: readMap(id, "counters", from, found.counters, readNumber),
  };
}

/** Throws where this version can't read records of that format. */
export function assertFormat(id: string, version: number): void {
  if (version !== RECORD_VERSION) throw new NewerFormatError(id, version);
}

function find(from: ProtobufReader, end: number): Found {
  // One that never ends has no `purgeAt`.
  const found: Found = { ...NOTHING, purgeAt: Infinity };
  while (toField(from, end, PROPERTY)) {
    const endOfProperty = from.end();
    const take = toValue(from, endOfProperty, KNOWN_TAKERS);
    if (from.at < endOfProperty) take?.(found, from);
    from.at = endOfProperty;
  }
  return found;
}

const NOTHING: Found = {
  ...{ v: undefined, owner: undefined, project: undefined, scope: undefined, createdAt: undefined },
  ...{ lastSeenAt: undefined, idleMs: undefined, endsAt: undefined, expiresAt: undefined, purgeAt: undefined },
  ...{ remoteAddress: undefined, userAgent: undefined, data: undefined, attributes: undefined, keys: undefined },
  ...{ pages: undefined, counters: undefined },
};

/** The number of the field, in google.datastore.v1.Entity, that holds a property: its name (1) and its value (2). */
const PROPERTY = 3;

/** Goes on to the value of a property, or to the end where it has none, and returns what its name stands for. */
function toValue<T>(from: ProtobufReader, end: number, names: KnownTexts<T>): T | undefined {
  let made: T | undefined;
  let valueAt = end;
  while (from.at < end) {
    const tag = from.uint32();
    const field = tag >>> 3;
    if (field === 1) {
      made = from.known(names);
    } else {
      if (field === 2) valueAt = from.at;
      from.skip(tag);
    }
  }
  from.at = valueAt;
  return made;
}

function readMap<T>(
  id: string,
  name: string,
  from: ProtobufReader,
  at: number | undefined,
  read: (from: ProtobufReader) => T | undefined,
): Record<string, T> {
  const end = toEntity(from, at) ?? damaged(id, name);
  if (from.at === end) return EMPTY;
  const map = dictionary<T>();
  while (toField(from, end, PROPERTY)) {
    const endOfProperty = from.end();
    const known = toValue(from, endOfProperty, KNOWN_KEYS);
    const { property, key = damaged(id, `${name}.${property}`) } = known ?? damaged(id, name);
    map[key] = (from.at < endOfProperty ? read(from) : undefined) ?? damaged(id, property);
    from.at = endOfProperty;
  }
  return map;
}

/** A map that few records have anything in, and whose items are entities themselves. */
function readEntities<T>(
  id: string,
  name: string,
  from: ProtobufReader,
  at: number | undefined,
  read: (properties: PropertyReader) => Record<string, T>,
): Record<string, T> {
  const end = toEntity(from, at);
  if (from.at === end) return EMPTY;
  if (at === undefined) return damaged(id, name);
  from.at = at;
  return read(new PropertyReader(id, { [name]: readValue(from) }));
}

// What follows stands at a value (google.datastore.v1.Value), and takes the one of its fields that has the right type.

/**
 * Goes on to the first field of the entity that a value holds, and returns where that entity ends; undefined where it
 * holds another type.
 */
function toEntity(from: ProtobufReader, at: number | undefined): number | undefined {
  if (at === undefined) return undefined;
  from.at = at;
  return seek(from, 6) ? from.end() : undefined;
}

function readText(from: ProtobufReader): string | undefined {
  return seek(from, 17) ? from.text() : undefined;
}

function readNumber(from: ProtobufReader): number | undefined {
  const { at } = from;
  if (seek(from, 2)) return Number(from.int64());
  from.at = at;
  return seek(from, 3) ? from.double() : undefined;
}

function readInstant(from: ProtobufReader): number | undefined {
  return seek(from, 10) ? instantOf(readTimestamp(from)) : undefined;
}

function readEncoded(from: ProtobufReader): Encoded | undefined {
  const { at } = from;
  if (seek(from, 17)) return from.text();
  from.at = at;
  // A copy: the bytes lie in the memory of the whole response, which would live as long as they do.
  return seek(from, 18) ? new Uint8Array(from.bytes()) : undefined;
}

function seek(from: ProtobufReader, field: number): boolean {
  return toField(from, from.end(), field);
}

/** Goes on to what follows the tag of a field; false, at `end`, where it isn't there. */
function toField(from: ProtobufReader, end: number, field: number): boolean {
  while (from.at < end) {
    const tag = from.uint32();
    if (tag >>> 3 === field) return true;
    from.skip(tag);
  }
  return false;
}

function damaged(id: string, name: string): never {
  throw damagedError(id, name);
}

/** The attributes of the live record whose properties these are. `SESSION_UNREADABLE` where they are damaged. */
export function readAttributes(from: PropertyReader): Record<string, AttributeRecord> {
  return from.entities("attributes", (attribute) => ({
    value: attribute.encoded("value"),
    encrypted: attribute.boolean("encrypted"),
    createdAt: attribute.number("createdAt"),
    modifiedAt: attribute.number("modifiedAt"),
    expiresAt: attribute.number("expiresAt"),
  }));
}

export function readSecurityKeys(from: PropertyReader): Record<string, SecurityKeyRecord> {
  return from.entities("keys", (key) => ({
    payload: key.encoded("payload"),
    createdAt: key.number("createdAt"),
    expiresAt: key.number("expiresAt"),
  }));
}

export function readPages(from: PropertyReader): Record<string, PageRecord> {
  return from.entities("pages", (page) => ({
    path: page.text("path"),
    title: page.text("title"),
    openedAt: page.number("openedAt"),
    seenAt: page.number("seenAt"),
  }));
}
