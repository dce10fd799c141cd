import { isDeepStrictEqual } from "node:util";
import type { MapDelta, SessionDelta } from "../../record/session-delta";
import { dictionary } from "../../record/session-record";
import type { SessionRecord } from "../../record/session-record";

/** The change that gives a record the content of another: all that a touch does not write. */
export function contentDifference(source: SessionRecord, target: SessionRecord): SessionDelta {
  return {
    ...(source.owner !== target.owner && { owner: source.owner }),
    ...named("data", mapDifference(source.data, target.data)),
    ...named("attributes", mapDifference(source.attributes, target.attributes)),
    ...named("keys", mapDifference(source.keys, target.keys)),
    ...named("pages", mapDifference(source.pages, target.pages)),
  };
}

/** The change that makes a record as long-lived as another: what a touch writes. */
export function activityDifference(source: SessionRecord, target: SessionRecord): SessionDelta {
  const fields = ["lastSeenAt", "idleMs", "expiresAt", "purgeAt"] as const;
  if (fields.every((name) => source[name] === target[name])) return {};
  const { lastSeenAt, idleMs, expiresAt, purgeAt } = source;
  return { lastSeenAt, idleMs, expiresAt, purgeAt };
}

/** What to add to counters so that they are as wanted. One that is missing counts as 0. */
export function counterDifference(
  wanted: Readonly<Record<string, number>>,
  counters: Readonly<Record<string, number>>,
): Pick<SessionDelta, "counters"> {
  const added = dictionary<number>();
  for (const name of new Set([...Object.keys(wanted), ...Object.keys(counters)])) {
    const by = (wanted[name] ?? 0) - (counters[name] ?? 0);
    if (by !== 0) added[name] = by;
  }
  return Object.keys(added).length === 0 ? {} : { counters: added };
}

function mapDifference<T>(source: Record<string, T>, target: Record<string, T>): MapDelta<T> | undefined {
  const set = dictionary<T>();
  for (const [key, item] of Object.entries(source)) if (!isSame(item, target[key])) set[key] = item;
  const remove = Object.keys(target).filter((key) => source[key] === undefined);
  return remove.length === 0 && Object.keys(set).length === 0 ? undefined : { set, remove };
}

/** Whether two values have the same content, whatever classes the stores read them into. */
function isSame(one: unknown, other: unknown): boolean {
  return isDeepStrictEqual(plain(one), plain(other));
}

function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value);
  if (typeof value !== "object" || value === null) return value;
  return new Map(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}

function named<T>(name: string, value: T | undefined): Record<string, T> {
  return value === undefined ? {} : { [name]: value };
}
