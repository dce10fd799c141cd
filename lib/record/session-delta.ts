import { dictionary } from "./session-record";
import type {
  AttributeRecord,
  Encoded,
  PageRecord,
  SecurityKeyRecord,
  SessionGroup,
  SessionRecord,
} from "./session-record";

/** What to set and remove in one of a record's maps. A key is in one of the two at most. */
export interface MapDelta<T> {
  /** What to store under each of these keys. */
  readonly set?: Readonly<Record<string, T>>;
  /** Keys to remove; one that is not there is no error. */
  readonly remove?: readonly string[];
}

/** A change of a live record. Only what it names is written, so that two changes of different keys both last. */
export interface SessionDelta {
  /** The new owner: a user id, or `GUEST_USER`. */
  readonly owner?: string;
  /** The new `lastSeenAt`, in milliseconds since the epoch. */
  readonly lastSeenAt?: number;
  /** Always together with `expiresAt`. */
  readonly idleMs?: number;
  /** Always together with `purgeAt`. */
  readonly expiresAt?: number;
  /** When clearing may take the record, in milliseconds since the epoch. */
  readonly purgeAt?: number;
  /**
   * The group in which the session is counted. It comes with `expiresAt`, for stores that count without reading; the
   * record stays as it is.
   */
  readonly group?: SessionGroup;
  /** Changes of the data. */
  readonly data?: MapDelta<Encoded>;
  /** Changes of the attributes. */
  readonly attributes?: MapDelta<AttributeRecord>;
  /** Changes of the one-time security keys. */
  readonly keys?: MapDelta<SecurityKeyRecord>;
  /** Changes of the open pages. */
  readonly pages?: MapDelta<PageRecord>;
  /** What to add to each counter; a new counter starts from 0. */
  readonly counters?: Readonly<Record<string, number>>;
}

/**
 * The record after the change. The given record stays as it was; maps that the change does not name are shared with it.
 */
export function applyDelta(record: SessionRecord, delta: SessionDelta): SessionRecord {
  // Each field by its name: a spread would be copied key by key.
  return {
    v: record.v,
    id: record.id,
    owner: delta.owner ?? record.owner,
    project: record.project,
    scope: record.scope,
    createdAt: record.createdAt,
    lastSeenAt: delta.lastSeenAt ?? record.lastSeenAt,
    idleMs: delta.idleMs ?? record.idleMs,
    endsAt: record.endsAt,
    expiresAt: delta.expiresAt ?? record.expiresAt,
    purgeAt: delta.purgeAt ?? record.purgeAt,
    remoteAddress: record.remoteAddress,
    userAgent: record.userAgent,
    data: applyMapDelta(record.data, delta.data),
    attributes: applyMapDelta(record.attributes, delta.attributes),
    keys: applyMapDelta(record.keys, delta.keys),
    pages: applyMapDelta(record.pages, delta.pages),
    counters: addCounters(record.counters, delta.counters),
  };
}

function applyMapDelta<T>(map: Record<string, T>, delta: MapDelta<T> | undefined): Record<string, T> {
  if (delta === undefined) return map;
  const next = Object.assign(dictionary<T>(), map, delta.set);
  for (const key of delta.remove ?? []) Reflect.deleteProperty(next, key);
  return next;
}

function addCounters(
  counters: Record<string, number>,
  increments: Readonly<Record<string, number>> | undefined,
): Record<string, number> {
  if (increments === undefined) return counters;
  const next = Object.assign(dictionary<number>(), counters);
  for (const name of Object.keys(increments)) next[name] = (next[name] ?? 0) + (increments[name] ?? 0);
  return next;
}

/** The one delta that does what these do one after the other. */
export function mergedDelta(deltas: readonly SessionDelta[]): SessionDelta {
  // Of a field that is not a map, the last value stays.
  const merged: { -readonly [Name in keyof SessionDelta]: SessionDelta[Name] } = {};
  for (const delta of deltas) Object.assign(merged, delta);
  if (merged.data !== undefined) merged.data = mergedMap(deltas.map(({ data }) => data));
  if (merged.attributes !== undefined) merged.attributes = mergedMap(deltas.map(({ attributes }) => attributes));
  if (merged.keys !== undefined) merged.keys = mergedMap(deltas.map(({ keys }) => keys));
  if (merged.pages !== undefined) merged.pages = mergedMap(deltas.map(({ pages }) => pages));
  if (merged.counters !== undefined) merged.counters = sums(deltas.map(({ counters }) => counters));
  return merged;
}

function mergedMap<T>(deltas: readonly (MapDelta<T> | undefined)[]): MapDelta<T> {
  const set = dictionary<T>();
  const removed = new Set<string>();
  for (const delta of deltas) {
    for (const [key, item] of Object.entries(delta?.set ?? {})) {
      set[key] = item;
      removed.delete(key);
    }
    for (const key of delta?.remove ?? []) {
      Reflect.deleteProperty(set, key);
      removed.add(key);
    }
  }
  return { set, remove: [...removed] };
}

function sums(increments: readonly (Readonly<Record<string, number>> | undefined)[]): Record<string, number> {
  const sum = dictionary<number>();
  for (const each of increments) {
    for (const [name, by] of Object.entries(each ?? {})) sum[name] = (sum[name] ?? 0) + by;
  }
  return sum;
}
