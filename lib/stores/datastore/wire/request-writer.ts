/*
 * To write a request, the client first copies every object into one of its own classes, which is most of what a write
 * allocates. Our objects already have the right shape; protobufjs, which comes with the client, writes them as they
 * are.
 */

/** The part of protobufjs that is used; `google-gax` exports it as `protobuf`. */
export interface Protobuf {
  readonly Root: { fromJSON(description: object): { lookupType(name: string): MessageType } };
}

interface MessageType {
  encode(message: object): { finish(): Uint8Array };
}

/** A request as the bytes of a protobuf message. Enums must be numbers. */
export type WriteRequest = (request: object) => Uint8Array;

/** What writes the requests of the store's most frequent calls. */
export interface RequestWriter {
  readonly lookup: WriteRequest;
  readonly commit: WriteRequest;
}

export function requestWriter({ Root }: Protobuf): RequestWriter {
  const root = Root.fromJSON({ nested: MESSAGES });
  const writerOf = (name: keyof typeof MESSAGES): WriteRequest => {
    const type = root.lookupType(name);
    return (request) => type.encode(request).finish();
  };
  return { lookup: writerOf("LookupRequest"), commit: writerOf("CommitRequest") };
}

const TEXT = "string";
const REPEATED = { rule: "repeated" };

/**
 * The messages that the store sends, with the fields that it uses (google/datastore/v1/datastore.proto, entity.proto,
 * google/protobuf/timestamp.proto). Written out here because each version of the client keeps its own descriptions
 * elsewhere; the numbers never change.
 */
const MESSAGES = {
  LookupRequest: {
    fields: {
      keys: { ...REPEATED, type: "Key", id: 3 },
      propertyMask: { type: "PropertyMask", id: 5 },
      projectId: { type: TEXT, id: 8 },
      databaseId: { type: TEXT, id: 9 },
    },
  },
  CommitRequest: {
    fields: {
      mode: { type: "int32", id: 5 },
      mutations: { ...REPEATED, type: "Mutation", id: 6 },
      projectId: { type: TEXT, id: 8 },
      databaseId: { type: TEXT, id: 9 },
      singleUseTransaction: { type: "TransactionOptions", id: 10 },
    },
  },
  TransactionOptions: { fields: { readWrite: { type: "ReadWrite", id: 1 } } },
  ReadWrite: { fields: {} },
  Mutation: {
    fields: {
      insert: { type: "Entity", id: 4 },
      update: { type: "Entity", id: 5 },
      upsert: { type: "Entity", id: 6 },
      delete: { type: "Key", id: 7 },
      baseVersion: { type: "int64", id: 8 },
      propertyMask: { type: "PropertyMask", id: 9 },
      conflictResolutionStrategy: { type: "int32", id: 10 },
      propertyTransforms: { ...REPEATED, type: "PropertyTransform", id: 12 },
    },
  },
  PropertyMask: { fields: { paths: { ...REPEATED, type: TEXT, id: 1 } } },
  PropertyTransform: { fields: { property: { type: TEXT, id: 1 }, increment: { type: "Value", id: 3 } } },
  Entity: {
    fields: { key: { type: "Key", id: 1 }, properties: { keyType: TEXT, type: "Value", id: 3 } },
  },
  Key: {
    fields: { partitionId: { type: "PartitionId", id: 1 }, path: { ...REPEATED, type: "PathElement", id: 2 } },
  },
  PartitionId: { fields: { databaseId: { type: TEXT, id: 3 }, namespaceId: { type: TEXT, id: 4 } } },
  PathElement: { fields: { kind: { type: TEXT, id: 1 }, name: { type: TEXT, id: 3 } } },
  Value: {
    fields: {
      booleanValue: { type: "bool", id: 1 },
      integerValue: { type: "int64", id: 2 },
      doubleValue: { type: "double", id: 3 },
      entityValue: { type: "Entity", id: 6 },
      timestampValue: { type: "Timestamp", id: 10 },
      nullValue: { type: "int32", id: 11 },
      stringValue: { type: TEXT, id: 17 },
      blobValue: { type: "bytes", id: 18 },
      excludeFromIndexes: { type: "bool", id: 19 },
    },
  },
  Timestamp: { fields: { seconds: { type: "int64", id: 1 }, nanos: { type: "int32", id: 2 } } },
};
