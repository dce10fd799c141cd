import { dictionary } from "./dictionary";
import type { MapDelta, SessionDelta } from "./session-delta";

/** The one delta that does what these do one after the other. */
export function mergedDelta(deltas: readonly SessionDelta[]): SessionDelta {
  // Of what is not a map, the last one stays.
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
