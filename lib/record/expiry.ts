import type { SessionDelta } from "./session-delta";
import { CLIENTLESS_SCOPE, dictionary } from "./session-record";
import type { AttributeRecord, SessionRecord } from "./session-record";

/**
 * A request with this header was not made for something that a user did: it is no activity, and does not renew the idle
 * limit. In lower case, as Node has it.
 */
export const REFRESH_HEADER = "x-coatcheck-refresh";

/** How long a session may live; both limits in milliseconds. (OWASP ASVS 7.3.1, 7.3.2) */
export interface ExpiryPolicy {
  /** The longest gap between two requests; activity slides it. `Infinity` for none. */
  readonly idleMs: number;
  /** The longest whole life, counted from creation; activity never extends it. `Infinity` for none. */
  readonly absoluteMs: number;
}

type Limits = Pick<SessionRecord, "idleMs" | "endsAt">;

/**
 * Clearing leaves alone what expired less than this long ago, in milliseconds: clocks of instances may differ by
 * minutes.
 */
export const CLEAR_GRACE_MS = 5 * 60_000;

/** The instant at which a session last seen at `seenAt` stops being valid: the earlier of its two limits. */
export function expiresAt(limits: Limits, seenAt: number): number {
  return Math.min(seenAt + limits.idleMs, limits.endsAt);
}

/** Whether a session, or an attribute, is over at `now`: it is gone the very millisecond at which it expires. */
export function isExpired(record: Pick<SessionRecord, "expiresAt">, now: number): boolean {
  return now >= record.expiresAt;
}

/**
 * The rule of what clearing takes: records, live or ended, whose `purgeAt` lies before this instant. A store whose
 * query language can't call `isDue` compares with it.
 */
export function dueBefore(now: number): number {
  return now - CLEAR_GRACE_MS;
}

/** Whether clearing takes a record at `now`. */
export function isDue(record: Pick<SessionRecord, "purgeAt">, now: number): boolean {
  return record.purgeAt < dueBefore(now);
}

/** What a touch reads of a record. */
type Touched = Limits & Pick<SessionRecord, "lastSeenAt">;

/**
 * The change that renews `lastSeenAt`, and with it the idle limit; the absolute limit stays. Neither moves where the
 * clock is behind the last touch, because it was set back or is another machine's. `keepEndedMs` in milliseconds.
 */
export function touchAt(record: Touched, now: number, keepEndedMs: number) {
  const lastSeenAt = Math.max(now, record.lastSeenAt);
  const end = expiresAt(record, lastSeenAt);
  return { lastSeenAt, expiresAt: end, purgeAt: end + keepEndedMs };
}

type Attributes = Readonly<Record<string, AttributeRecord>>;

/** Whether an attribute has expired: it counts as absent, and waits to be removed. */
export function hasExpired(attributes: Attributes, now: number): boolean {
  // The maps inherit nothing; most are empty, and for those this loop is all there is to do.
  for (const name in attributes) {
    const attribute = attributes[name];
    if (attribute !== undefined && isExpired(attribute, now)) return true;
  }
  return false;
}

/** The attributes that have not expired at `now`; the map itself where that is all of them. */
export function liveAttributes(attributes: Attributes, now: number): Attributes {
  if (!hasExpired(attributes, now)) return attributes;
  const live = dictionary<AttributeRecord>();
  for (const [name, attribute] of Object.entries(attributes)) if (!isExpired(attribute, now)) live[name] = attribute;
  return live;
}

/**
 * The change, and with it the removal of the record's expired attributes. `current` must be the record as it is stored
 * now: an older one could remove an attribute that a parallel request has created anew.
 */
export function sweeping(current: SessionRecord, change: SessionDelta, now: number): SessionDelta {
  if (!hasExpired(current.attributes, now)) return change;
  const { set = dictionary<AttributeRecord>(), remove = [] } = change.attributes ?? {};
  const removed = new Set(remove);
  for (const [name, attribute] of Object.entries(current.attributes)) {
    if (isExpired(attribute, now) && set[name] === undefined) removed.add(name);
  }
  return { ...change, attributes: { set, remove: [...removed] } };
}

/**
 * Whether an expired record is that of a clientless session whose process died: it has an idle limit only while a
 * process keeps it open.
 */
export function isAbandoned(record: Pick<SessionRecord, "scope" | "expiresAt" | "endsAt">): boolean {
  return record.scope === CLIENTLESS_SCOPE && record.expiresAt < record.endsAt;
}
