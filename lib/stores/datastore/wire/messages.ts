/*
 * The part of the Datastore API (google.datastore.v1) that the store speaks, in the shape that versions 10 and 11 of
 * `@google-cloud/datastore` use. Written out here, so that neither our types nor the root of the package need that
 * client installed.
 */

// Enums are numbers in requests and names in responses.
/** google.datastore.v1.CommitRequest.Mode */
export const COMMIT_MODE = { TRANSACTIONAL: 1, NON_TRANSACTIONAL: 2 } as const;
/** google.datastore.v1.Mutation.ConflictResolutionStrategy */
export const CONFLICT_FAIL = 3 as const;

/** 64-bit integers are strings in the client's responses; requests may have either. */
export type Int64 = string | number;

export interface Key {
  readonly partitionId: { readonly namespaceId: string; readonly databaseId: string };
  readonly path: readonly { readonly kind: string; readonly name?: string }[];
}

export type Properties = Record<string, Value>;

export interface Value {
  readonly valueType?: string;
  readonly nullValue?: "NULL_VALUE" | 0;
  readonly booleanValue?: boolean;
  readonly integerValue?: Int64;
  readonly doubleValue?: number;
  readonly timestampValue?: { readonly seconds: Int64; readonly nanos: number };
  readonly stringValue?: string;
  readonly blobValue?: Uint8Array;
  readonly entityValue?: { readonly properties: Properties };
  readonly keyValue?: Key;
  readonly excludeFromIndexes?: boolean;
}

export interface Entity {
  readonly key: Key;
  readonly properties: Properties;
}

/** An entity as it was read. `version` changes with every change of the entity. */
export interface EntityResult {
  readonly entity: Entity;
  readonly version: Int64;
}

export interface Mutation {
  readonly insert?: Entity;
  readonly update?: Entity;
  readonly upsert?: Entity;
  readonly delete?: Key;
  /** Write these properties only; one that is named here and missing in the entity is deleted. */
  readonly propertyMask?: { readonly paths: readonly string[] };
  readonly propertyTransforms?: readonly PropertyTransform[];
  /** Together with the strategy `FAIL`: the whole commit fails where the stored version is another one. */
  readonly baseVersion?: Int64;
  readonly conflictResolutionStrategy?: typeof CONFLICT_FAIL;
}

export interface PropertyTransform {
  readonly property: string;
  readonly increment: Value;
}

export interface PropertyFilter {
  readonly propertyFilter: {
    readonly property: { readonly name: string };
    readonly op: "EQUAL" | "GREATER_THAN" | "GREATER_THAN_OR_EQUAL" | "LESS_THAN_OR_EQUAL";
    readonly value: Value;
  };
}

export interface LookupResponse {
  readonly found: readonly EntityResult[];
  /** Entities with a key and nothing else. */
  readonly missing: readonly EntityResult[];
  readonly deferred: readonly Key[];
}

export interface CommitResponse {
  readonly mutationResults: readonly { readonly conflictDetected?: boolean }[];
}

export interface QueryResponse {
  readonly batch: {
    readonly entityResults: readonly EntityResult[];
    readonly endCursor: Uint8Array | string;
    readonly moreResults: string;
  };
}

export interface AggregationResponse {
  readonly batch: {
    readonly aggregationResults: readonly { readonly aggregateProperties: Properties }[];
    readonly readTime?: object | null;
  };
}

export interface CallOptions {
  /** Milliseconds. */
  readonly timeout: number;
  readonly retry: null;
}

/** What we use of `v1.DatastoreClient`. */
export interface DatastoreClient {
  initialize(): Promise<unknown>;
  getProjectId(): Promise<string>;
  lookup(request: object, options: CallOptions): Promise<readonly [LookupResponse, ...unknown[]]>;
  commit(request: object, options: CallOptions): Promise<readonly [CommitResponse, ...unknown[]]>;
  runQuery(request: object, options: CallOptions): Promise<readonly [QueryResponse, ...unknown[]]>;
  runAggregationQuery(request: object, options: CallOptions): Promise<readonly [AggregationResponse, ...unknown[]]>;
  close(): Promise<void>;
}
