import { isExpired } from "../record/expiry";
import { isAbandoned } from "../record/is-abandoned";
import { GUEST_USER, isEnded } from "../record/session-record";
import type { EndReason, EndedRecord, SessionRecord } from "../record/session-record";

/** The username of sessions that belong to nobody. */
export const UNAUTHENTICATED = "Unauthenticated";

/** What may be told of a session: never its token, never its data. */
export interface SessionInfo {
  readonly id: string;
  /** The user it belongs to, or `"Unauthenticated"`. */
  readonly username: string;
  readonly project: string;
  /** Where it runs: `browser`, or what the app's `scope` says. */
  readonly sessionScope: string;
  readonly userAgent: string;
  readonly clientAddress: string;
  readonly createdAt: Date;
  readonly lastSeenAt: Date;
  /** When it will be over if nobody comes back; null for never, and for one that is over. */
  readonly expiresAt: Date | null;
  /** Null while it is live. */
  readonly endedAt: Date | null;
  readonly endReason: EndReason | null;
  /** The user who ended it; null where nobody in particular did. */
  readonly endedBy: string | null;
  /** Milliseconds since it was created, until now or its end. */
  readonly uptime: number;
  /** Milliseconds since its last communication. */
  readonly lastComm: number;
}

/** What is told of a record at `now`. One that has expired is over, whether or not anything has cleared it. (P8) */
export function sessionInfo(record: SessionRecord | EndedRecord, now: number): SessionInfo {
  const end = endOf(record, now);
  return {
    id: record.id,
    username: record.owner === GUEST_USER ? UNAUTHENTICATED : record.owner,
    project: record.project,
    sessionScope: record.scope,
    userAgent: record.userAgent,
    clientAddress: record.remoteAddress,
    createdAt: new Date(record.createdAt),
    lastSeenAt: new Date(record.lastSeenAt),
    expiresAt: end === undefined && !isEnded(record) ? dateOrNull(record.expiresAt) : null,
    endedAt: end === undefined ? null : new Date(end.endedAt),
    endReason: end?.reason ?? null,
    endedBy: end?.endedBy ?? null,
    uptime: (end?.endedAt ?? now) - record.createdAt,
    lastComm: now - record.lastSeenAt,
  };
}

function endOf(record: SessionRecord | EndedRecord, now: number) {
  if (isEnded(record)) return record;
  if (!isExpired(record, now)) return undefined;
  return {
    endedAt: record.expiresAt,
    reason: isAbandoned(record) ? ("abandoned" as const) : ("expired" as const),
    endedBy: null,
  };
}

function dateOrNull(instant: number): Date | null {
  return Number.isFinite(instant) ? new Date(instant) : null;
}
