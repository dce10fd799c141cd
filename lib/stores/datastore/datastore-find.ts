import { isUnreadable } from "../../errors";
import type { EndedRecord, SessionRecord } from "../../record/session-record";
import { HEADER_PROPERTIES, idOfEntity, readEnded, readLive, readLiveHeader } from "./entity/record-entity";
import { isKeyName } from "./size-limits";
import type { DatastoreRpc } from "./calls/datastore-rpc";
import { indexedValue } from "./entity/property-value";
import type { EntityResult, PropertyFilter } from "./wire/messages";
import { matches } from "../store";
import type { FindQuery, UnreadableQuery, UnreadableRecord } from "../store";

const PAGE_SIZE = 300;

type FoundRecord = SessionRecord | EndedRecord;

/** The records of one kind that match, page by page. Equalities, and the order of the keys, need no index of their own: Datastore joins those it has. */
export async function* findInDatastore(
  rpc: DatastoreRpc,
  kind: string,
  query: FindQuery,
): AsyncGenerator<FoundRecord[]> {
  const { id, limit = PAGE_SIZE } = query;
  const isHeader = query.state === "live" && query.fields === "header";
  const read = query.state === "ended" ? readEnded : isHeader ? readLiveHeader : readLive;
  const properties = isHeader ? HEADER_PROPERTIES : undefined;
  const filters = filtersOf(rpc, kind, query);
  const pages =
    id === undefined
      ? rpc.query(kind, filters, Math.min(limit, PAGE_SIZE), properties)
      : oneById(rpc, kind, id, properties);
  for await (const page of pages) {
    const records = page.map(({ entity }) => unlessUnreadable(() => read(entity)));
    yield records.filter((record) => record !== undefined && matches(record, query)) as FoundRecord[];
  }
}

/** The live records that can't be read, page by page. */
export async function* findUnreadableInDatastore(
  rpc: DatastoreRpc,
  kind: string,
  query: UnreadableQuery,
): AsyncGenerator<UnreadableRecord[]> {
  const { id } = query;
  const filters = filtersOf(rpc, kind, { state: "live", ...query });
  for await (const page of id === undefined ? rpc.query(kind, filters, PAGE_SIZE) : oneById(rpc, kind, id)) {
    const unreadable = page.filter(({ entity }) => unlessUnreadable(() => readLive(entity)) === undefined);
    yield unreadable.map(({ entity }) => ({
      id: idOfEntity(entity),
      owner: entity.properties.owner?.stringValue ?? "",
      isUnreadable: true,
    }));
  }
}

async function* oneById(
  rpc: DatastoreRpc,
  kind: string,
  id: string,
  properties?: readonly string[],
): AsyncGenerator<EntityResult[]> {
  const found = isKeyName(id) ? await rpc.lookup(rpc.key(kind, id), properties) : undefined;
  if (found !== undefined) yield [found];
}

function filtersOf(rpc: DatastoreRpc, kind: string, { owner, project, scope, after }: FindQuery): PropertyFilter[] {
  const filters = [...equal("owner", owner), ...equal("project", project), ...equal("scope", scope)];
  if (after === undefined) return filters;
  const value = { keyValue: rpc.key(kind, after) };
  return [...filters, { propertyFilter: { property: { name: "__key__" }, op: "GREATER_THAN", value } }];
}

function equal(name: string, text: string | undefined): PropertyFilter[] {
  return text === undefined ? [] : [{ propertyFilter: { property: { name }, op: "EQUAL", value: indexedValue(text) } }];
}

/** Undefined for what is damaged or of a newer format. */
export function unlessUnreadable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isUnreadable(error)) return undefined;
    throw error;
  }
}
