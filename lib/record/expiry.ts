import type { SessionRecord } from "./session-record";

/** How long a session may live; both limits in milliseconds. (OWASP ASVS 7.3.1, 7.3.2) */
export interface ExpiryPolicy {
  /** The longest gap between two requests; activity slides it. `Infinity` for none. */
  readonly idleMs: number;
  /** The longest whole life, counted from creation; activity never extends it. `Infinity` for none. */
  readonly absoluteMs: number;
}

type Limits = Pick<SessionRecord, "idleMs" | "endsAt">;

/** Clearing leaves alone what expired less than this long ago, in milliseconds: clocks of instances may differ by minutes. */
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
 * The rule of what clearing takes: records, live or ended, whose `purgeAt` lies before this instant. A store whose query language can't call
 * `isDue` compares with it.
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
 * The change that renews `lastSeenAt`, and with it the idle limit; the absolute limit stays. By a clock that is behind the last touch, because it
 * was set back or is another machine's, neither moves. `keepEndedMs` in milliseconds.
 */
export function touchAt(record: Touched, now: number, keepEndedMs: number) {
  const lastSeenAt = Math.max(now, record.lastSeenAt);
  const end = expiresAt(record, lastSeenAt);
  return { lastSeenAt, expiresAt: end, purgeAt: end + keepEndedMs };
}
