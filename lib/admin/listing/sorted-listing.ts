import { deviceName } from "./device-name";
import type { StoredSessionInfo } from "./session-info";
import { cursorText } from "./session-reader";
import type { AnyRecord, SessionReader } from "./session-reader";
import { waysTo } from "./session-search";
import type { SessionSearch } from "./session-search";

/**
 * How many sessions are looked at for one sorted listing. No store has an index by time, which would be its one hot
 * spot; so of more sessions than this, a listing sorts these and says so.
 */
export const MOST_LOOKED_AT = 5_000;

type SortValue = (info: StoredSessionInfo) => string | number;

/** What a listing can be sorted by. Times that have passed are sorted by how long ago they were, the latest first. */
const SORT_VALUES = {
  user: ({ username }) => username,
  device: ({ userAgent }) => deviceNames(userAgent),
  address: ({ clientAddress }) => clientAddress,
  project: ({ project }) => project,
  scope: ({ sessionScope }) => sessionScope,
  age: ({ createdAt }) => -createdAt.getTime(),
  idle: ({ lastSeenAt }) => -lastSeenAt.getTime(),
  expires: ({ expiresAt }) => expiresAt?.getTime() ?? Infinity,
  pages: ({ activePages }) => activePages,
  ended: ({ endedAt }) => -(endedAt?.getTime() ?? 0),
  reason: ({ endReason }) => endReason ?? "",
  by: ({ endedBy }) => endedBy ?? "",
} as const satisfies Record<string, SortValue>;

export type SortKey = keyof typeof SORT_VALUES;

export function isSortKey(name: string): name is SortKey {
  return Object.hasOwn(SORT_VALUES, name);
}

/** A part of a sorted listing. */
export interface SortedQuery extends SessionSearch {
  readonly sort: SortKey;
  /** Default false. */
  readonly isDescending?: boolean;
  /** How many sessions come before this part. */
  readonly offset: number;
  readonly limit: number;
}

/** Sessions in the order that was asked for. */
export interface SortedPart {
  readonly sessions: readonly StoredSessionInfo[];
  /** How many were found and sorted. */
  readonly found: number;
  /** How many were looked at. */
  readonly lookedAt: number;
  /** The `after` with which a listing goes on; undefined where all were looked at. */
  readonly next: string | undefined;
}

/** A part of the sessions that match, in order: of all, or of the first `MOST_LOOKED_AT` that the store has. */
export async function sortedPart(reader: SessionReader, query: SortedQuery): Promise<SortedPart> {
  const { sort, isDescending = false, offset, limit, ...search } = query;
  const found = new Map<string, AnyRecord>();
  let next: string | undefined;
  let lookedAt = 0;
  for (const way of waysTo(reader, search)) {
    let last: string | undefined;
    [next, lookedAt] = [undefined, 0];
    for await (const { record, state, looked } of way) {
      if (lookedAt >= MOST_LOOKED_AT) {
        next = last;
        break;
      }
      lookedAt += Math.max(looked, 1);
      last = cursorText({ state, id: record.id });
      if (looked === 0) found.set(record.id, record);
    }
  }
  const infos = Array.from(found.values(), (record) => reader.stored(record));
  const sessions = sorted(infos, SORT_VALUES[sort], isDescending).slice(offset, offset + limit);
  return { sessions, found: found.size, lookedAt, next };
}

/** In the order of the values; equal ones in the order of ids, so that the parts of a listing fit together. */
function sorted(infos: readonly StoredSessionInfo[], valueOf: SortValue, isDescending: boolean) {
  const rows = infos.map((info) => ({ info, value: valueOf(info) }));
  const sign = isDescending ? -1 : 1;
  rows.sort((a, b) => sign * compared(a.value, b.value) || compared(a.info.id, b.info.id));
  return rows.map(({ info }) => info);
}

function compared(a: string | number, b: string | number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

const MOST_NAMES = 2_000;
const names = new Map<string, string>();

/** The device of a user agent: most sessions share a few, and to read one takes longer than all the rest. */
function deviceNames(userAgent: string): string {
  let name = names.get(userAgent);
  if (name === undefined) {
    name = deviceName(userAgent).toLowerCase();
    if (names.size >= MOST_NAMES) names.clear();
    names.set(userAgent, name);
  }
  return name;
}

/** Up to `limit` of the sessions that match, one by one, in no particular order. */
export async function* eachFound(
  reader: SessionReader,
  { limit, ...search }: SessionSearch & { readonly limit: number },
): AsyncGenerator<StoredSessionInfo> {
  // What is on the other ways is on the last one too.
  const way = waysTo(reader, search).at(-1) ?? [];
  let left = limit;
  for await (const { record, looked } of way) {
    if (looked > 0) continue;
    yield reader.stored(record);
    if ((left -= 1) <= 0) return;
  }
}
