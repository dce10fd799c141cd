import { dictionary } from "../../../record/session-record";
import type { CommitResponse, Entity, EntityResult, Key, LookupResponse, Properties, Value } from "./messages";
import { ProtobufReader } from "./protobuf-reader";

/*
 * Reading a response with the client's own code takes most of the time of a read: it makes every message twice, with a
 * property for each type that a value doesn't have. This makes what the store reads, once. The numbers are those of
 * google/datastore/v1/datastore.proto and query.proto.
 */

/** The response to a lookup, from a protobuf message. */
export function readLookupResponse(message: Buffer): LookupResponse {
  const from = new ProtobufReader(message);
  const found: EntityResult[] = [];
  const missing: EntityResult[] = [];
  const deferred: Key[] = [];
  while (from.at < message.length) {
    const tag = from.uint32();
    const field = tag >>> 3;
    if (field === 1) found.push(readResult(message, from));
    else if (field === 2) missing.push(readResult(message, from));
    else if (field === 3) deferred.push(readKey(from));
    else from.skip(tag);
  }
  return { found, missing, deferred };
}

function readResult(message: Buffer, from: ProtobufReader): EntityResult {
  const end = from.end();
  let entity: EntityResult["entity"] = NOTHING;
  let version: EntityResult["version"] = 0;
  while (from.at < end) {
    const tag = from.uint32();
    const field = tag >>> 3;
    if (field === 1) entity = new StoredEntity(message, from);
    else if (field === 4) version = from.int64();
    else from.skip(tag);
  }
  return { entity, version };
}

const NOTHING: EntityResult["entity"] = {
  key: { partitionId: { namespaceId: "", databaseId: "" }, path: [] },
  properties: {},
};

/** The response to a commit, from a protobuf message. */
export function readCommitResponse(message: Buffer): CommitResponse {
  const from = new ProtobufReader(message);
  const mutationResults: CommitResponse["mutationResults"][number][] = [];
  while (from.at < message.length) {
    const tag = from.uint32();
    if (tag >>> 3 === 3) mutationResults.push(readMutationResult(from));
    else from.skip(tag);
  }
  return { mutationResults };
}

function readMutationResult(from: ProtobufReader): CommitResponse["mutationResults"][number] {
  const end = from.end();
  let result = APPLIED;
  while (from.at < end) {
    const tag = from.uint32();
    if (tag >>> 3 === 5) result = from.uint32() === 0 ? APPLIED : CONFLICT;
    else from.skip(tag);
  }
  return result;
}

const APPLIED = { conflictDetected: false };
const CONFLICT = { conflictDetected: true };

/**
 * An entity as Datastore sent it. Only the name of its key is read at once; `key` and `properties` read the rest when
 * they are used.
 */
export class StoredEntity implements Entity {
  /** The name of its key. */
  readonly id: string;
  readonly #message: Buffer;
  readonly #start: number;
  readonly #end: number;
  #read: Entity | undefined;

  /** The entity's length comes next; it is passed over. */
  constructor(message: Buffer, from: ProtobufReader) {
    this.#message = message;
    this.#end = from.end();
    this.#start = from.at;
    this.id = readName(from, this.#end);
    from.at = this.#end;
  }

  get key(): Key {
    return this.#whole().key;
  }

  get properties(): Properties {
    return this.#whole().properties;
  }

  /** A reader that stands before its first field, and where the last one ends. */
  fields(): { readonly from: ProtobufReader; readonly end: number } {
    return { from: new ProtobufReader(this.#message, this.#start), end: this.#end };
  }

  #whole(): Entity {
    if (this.#read === undefined) {
      const { from, end } = this.fields();
      this.#read = readEntity(from, end);
    }
    return this.#read;
  }
}

/** The name in the last element of the key's path. */
function readName(from: ProtobufReader, end: number): string {
  let name = "";
  while (from.at < end) {
    const tag = from.uint32();
    if (tag >>> 3 !== 1) {
      from.skip(tag);
      continue;
    }
    const endOfKey = from.end();
    while (from.at < endOfKey) {
      const part = from.uint32();
      if (part >>> 3 === 2) name = readElement(from);
      else from.skip(part);
    }
  }
  return name;
}

function readElement(from: ProtobufReader): string {
  const end = from.end();
  let name = "";
  while (from.at < end) {
    const tag = from.uint32();
    if (tag >>> 3 === 3) name = from.text();
    else from.skip(tag);
  }
  return name;
}

/*
 * The messages of google/datastore/v1/entity.proto, as the store reads them.
 */

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] };

const NOWHERE: Key["partitionId"] = { namespaceId: "", databaseId: "" };

/** Texts and bytes are as they were stored. `end` is where the entity ends. */
function readEntity(from: ProtobufReader, end = from.end()): Entity {
  const entity: Mutable<Entity> = { key: { partitionId: NOWHERE, path: [] }, properties: dictionary() };
  while (from.at < end) {
    const tag = from.uint32();
    const field = tag >>> 3;
    if (field === 1) entity.key = readKey(from);
    else if (field === 3) readProperty(from, entity.properties);
    else from.skip(tag);
  }
  return entity;
}

function readProperty(from: ProtobufReader, properties: Properties): void {
  const end = from.end();
  let name = "";
  let value: Value = {};
  while (from.at < end) {
    const tag = from.uint32();
    const field = tag >>> 3;
    if (field === 1) name = from.text();
    else if (field === 2) value = readValue(from);
    else from.skip(tag);
  }
  properties[name] = value;
}

/** One value of an entity. */
export function readValue(from: ProtobufReader): Value {
  const end = from.end();
  let value: Value = {};
  while (from.at < end) {
    const tag = from.uint32();
    switch (tag >>> 3) {
      case 1:
        value = { booleanValue: from.uint32() !== 0 };
        break;
      case 2:
        value = { integerValue: from.int64() };
        break;
      case 3:
        value = { doubleValue: from.double() };
        break;
      case 6:
        value = { entityValue: readEntity(from) };
        break;
      case 10:
        value = { timestampValue: readTimestamp(from) };
        break;
      case 11:
        from.skip(tag);
        value = { valueType: "nullValue", nullValue: "NULL_VALUE" };
        break;
      case 17:
        value = { stringValue: from.text() };
        break;
      case 18:
        value = { blobValue: from.bytes() };
        break;
      default:
        from.skip(tag);
    }
  }
  return value;
}

export function readTimestamp(from: ProtobufReader): NonNullable<Value["timestampValue"]> {
  const end = from.end();
  const timestamp: Mutable<NonNullable<Value["timestampValue"]>> = { seconds: 0, nanos: 0 };
  while (from.at < end) {
    const tag = from.uint32();
    const field = tag >>> 3;
    if (field === 1) timestamp.seconds = from.int64();
    else if (field === 2) timestamp.nanos = from.uint32();
    else from.skip(tag);
  }
  return timestamp;
}

function readKey(from: ProtobufReader): Key {
  const end = from.end();
  let partitionId = NOWHERE;
  const path: { kind: string; name?: string }[] = [];
  while (from.at < end) {
    const tag = from.uint32();
    const field = tag >>> 3;
    if (field === 1) partitionId = readPartition(from);
    else if (field === 2) path.push(readPathElement(from));
    else from.skip(tag);
  }
  return { partitionId, path };
}

function readPartition(from: ProtobufReader): Key["partitionId"] {
  const end = from.end();
  const partition = { namespaceId: "", databaseId: "" };
  while (from.at < end) {
    const tag = from.uint32();
    const field = tag >>> 3;
    if (field === 3) partition.databaseId = from.text();
    else if (field === 4) partition.namespaceId = from.text();
    else from.skip(tag);
  }
  return partition;
}

function readPathElement(from: ProtobufReader): { kind: string; name?: string } {
  const end = from.end();
  const element: { kind: string; name?: string } = { kind: "" };
  while (from.at < end) {
    const tag = from.uint32();
    const field = tag >>> 3;
    if (field === 1) element.kind = from.text();
    else if (field === 3) element.name = from.text();
    else from.skip(tag);
  }
  return element;
}
