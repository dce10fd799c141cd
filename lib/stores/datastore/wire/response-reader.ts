import { readKey } from "./entity-reader";
import { StoredEntity } from "../entity/stored-entity";
import type { CommitResponse, EntityResult, Key, LookupResponse } from "./messages";
import { ProtobufReader } from "./protobuf-reader";

/*
 * The client's own way from bytes to objects takes most of the time of a read: it makes every message twice, and says of
 * each value all that it is not. This makes once what the store reads.
 * The numbers are those of google/datastore/v1/datastore.proto and query.proto.
 */

/** The answer to a lookup, from a protobuf message. */
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

/** The answer to a commit, from a protobuf message. */
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
