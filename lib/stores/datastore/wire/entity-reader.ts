import { dictionary } from "../../../record/session-record";
import type { Entity, Key, Properties, Value } from "./messages";
import type { ProtobufReader } from "./protobuf-reader";

/*
 * The messages of google/datastore/v1/entity.proto, as the store reads them.
 */

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] };

const NOWHERE: Key["partitionId"] = { namespaceId: "", databaseId: "" };

/** Texts and bytes are as they were stored. `end` is where the entity ends. */
export function readEntity(from: ProtobufReader, end = from.end()): Entity {
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

export function readKey(from: ProtobufReader): Key {
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
