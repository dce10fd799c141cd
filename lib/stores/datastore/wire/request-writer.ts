import type { Entity, Key, Mutation, Properties, Value } from "./messages";
import { ProtobufWriter } from "./protobuf-writer";

/*
 * The client's own way from objects to bytes makes a copy of every object, and several more for each of its fields: most of what a
 * write allocates. The numbers are those of google/datastore/v1/datastore.proto and entity.proto.
 */

interface Request {
  readonly projectId: string;
  readonly databaseId: string;
}

export interface LookupRequest extends Request {
  readonly keys: readonly Key[];
  readonly propertyMask?: PropertyMask;
}

export interface CommitRequest extends Request {
  readonly mode: "TRANSACTIONAL" | "NON_TRANSACTIONAL";
  readonly singleUseTransaction?: object;
  readonly mutations: readonly Mutation[];
}

type PropertyMask = NonNullable<Mutation["propertyMask"]>;

const CONFLICT_FAIL = 3;

/** A lookup as a protobuf message. */
export function writeLookupRequest({ projectId, databaseId, keys, propertyMask }: LookupRequest): Buffer {
  const to = new ProtobufWriter();
  for (const key of keys) writeKey(to, 3, key);
  if (propertyMask !== undefined) writeMask(to, 5, propertyMask);
  to.text(8, projectId);
  to.text(9, databaseId);
  return to.finish();
}

/** A commit as a protobuf message. Its transaction, where it has one, is one of its own. */
export function writeCommitRequest(request: CommitRequest): Buffer {
  const to = new ProtobufWriter();
  to.uint32(5, request.mode === "TRANSACTIONAL" ? 1 : 2);
  for (const mutation of request.mutations) writeMutation(to, 6, mutation);
  to.text(8, request.projectId);
  to.text(9, request.databaseId);
  if (request.singleUseTransaction !== undefined) {
    const transaction = to.begin(10);
    to.end(to.begin(1));
    to.end(transaction);
  }
  return to.finish();
}

function writeMutation(to: ProtobufWriter, field: number, mutation: Mutation): void {
  const start = to.begin(field);
  if (mutation.insert !== undefined) writeEntity(to, 4, mutation.insert);
  if (mutation.update !== undefined) writeEntity(to, 5, mutation.update);
  if (mutation.upsert !== undefined) writeEntity(to, 6, mutation.upsert);
  if (mutation.delete !== undefined) writeKey(to, 7, mutation.delete);
  if (mutation.baseVersion !== undefined) to.int64(8, mutation.baseVersion);
  if (mutation.propertyMask !== undefined) writeMask(to, 9, mutation.propertyMask);
  if (mutation.conflictResolutionStrategy !== undefined) to.uint32(10, CONFLICT_FAIL);
  for (const { property, increment } of mutation.propertyTransforms ?? []) {
    const transform = to.begin(12);
    to.text(1, property);
    writeValue(to, 3, increment);
    to.end(transform);
  }
  to.end(start);
}

function writeMask(to: ProtobufWriter, field: number, { paths }: PropertyMask): void {
  const start = to.begin(field);
  for (const path of paths) to.text(1, path);
  to.end(start);
}

function writeEntity(to: ProtobufWriter, field: number, { key, properties }: Entity): void {
  const start = to.begin(field);
  writeKey(to, 1, key);
  writeProperties(to, properties);
  to.end(start);
}

function writeProperties(to: ProtobufWriter, properties: Properties): void {
  for (const name of Object.keys(properties)) {
    const value = properties[name];
    if (value === undefined) continue;
    const start = to.begin(3);
    to.text(1, name);
    writeValue(to, 2, value);
    to.end(start);
  }
}

function writeValue(to: ProtobufWriter, field: number, value: Value): void {
  const start = to.begin(field);
  if (value.stringValue !== undefined) to.text(17, value.stringValue);
  else if (value.integerValue !== undefined) to.int64(2, value.integerValue);
  else if (value.doubleValue !== undefined) to.double(3, value.doubleValue);
  else if (value.booleanValue !== undefined) to.boolean(1, value.booleanValue);
  else if (value.blobValue !== undefined) to.bytes(18, value.blobValue);
  else if (value.entityValue !== undefined) writeEmbedded(to, 6, value.entityValue.properties);
  else if (value.timestampValue !== undefined) writeTimestamp(to, 10, value.timestampValue);
  else if (value.nullValue !== undefined) to.uint32(11, 0);
  if (value.excludeFromIndexes === true) to.boolean(19, true);
  to.end(start);
}

function writeEmbedded(to: ProtobufWriter, field: number, properties: Properties): void {
  const start = to.begin(field);
  writeProperties(to, properties);
  to.end(start);
}

function writeTimestamp(to: ProtobufWriter, field: number, instant: NonNullable<Value["timestampValue"]>): void {
  const start = to.begin(field);
  to.int64(1, instant.seconds);
  to.uint32(2, instant.nanos);
  to.end(start);
}

function writeKey(to: ProtobufWriter, field: number, { partitionId, path }: Key): void {
  const start = to.begin(field);
  const partition = to.begin(1);
  if (partitionId.databaseId !== "") to.text(3, partitionId.databaseId);
  if (partitionId.namespaceId !== "") to.text(4, partitionId.namespaceId);
  to.end(partition);
  for (const { kind, name } of path) {
    const element = to.begin(2);
    to.text(1, kind);
    if (name !== undefined) to.text(3, name);
    to.end(element);
  }
  to.end(start);
}
