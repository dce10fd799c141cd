import { isDeepStrictEqual } from "node:util";
import type { MapDelta, SessionDelta } from "../../record/session-delta";
import { dictionary } from "../../record/session-record";
import type { SessionRecord } from "../../record/session-record";

/** The change that makes the target's record equal to the source's; undefined where it is already. */
export function differenceOf(source: SessionRecord, target: SessionRecord): SessionDelta | undefined {
  const fields = ["owner", "lastSeenAt", "idleMs", "expiresAt", "purgeAt"] as const;
  const { owner, lastSeenAt, idleMs, expiresAt, purgeAt } = source;
  const delta: SessionDelta = {
    ...(fields.some((name) => source[name] !== target[name]) && { owner, lastSeenAt, idleMs, expiresAt, purgeAt }),
    ...named("data", mapDifference(source.data, target.data)),
    ...named("attributes", mapDifference(source.attributes, target.attributes)),
    ...named("keys", mapDifference(source.keys, target.keys)),
    ...named("pages", mapDifference(source.pages, target.pages)),
    ...named("counters", counterDifference(source.counters, target.counters)),
  };
  return Object.keys(delta).length === 0 ? undefined : delta;
}

/** What to add to the target's counters. One that is missing counts as 0. */
export function counterDifference(
  source: Readonly<Record<string, number>>,
  target: Readonly<Record<string, number>>,
): Record<string, number> | undefined {
  const added = dictionary<number>();
  for (const name of new Set([...Object.keys(source), ...Object.keys(target)])) {
    const by = (source[name] ?? 0) - (target[name] ?? 0);
    if (by !== 0) added[name] = by;
  }
  return Object.keys(added).length === 0 ? undefined : added;
}

/** Whether two values have the same content, whatever classes the stores read them into. */
export function isSame(one: unknown, other: unknown): boolean {
  return isDeepStrictEqual(plain(one), plain(other));
}

function mapDifference<T>(source: Record<string, T>, target: Record<string, T>): MapDelta<T> | undefined {
  const set = dictionary<T>();
  for (const [key, item] of Object.entries(source)) if (!isSame(item, target[key])) set[key] = item;
  const remove = Object.keys(target).filter((key) => source[key] === undefined);
  return remove.length === 0 && Object.keys(set).length === 0 ? undefined : { set, remove };
}

function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value);
  if (typeof value !== "object" || value === null) return value;
  return new Map(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}

function named<T>(name: string, value: T | undefined): Record<string, T> {
  return value === undefined ? {} : { [name]: value };
}
