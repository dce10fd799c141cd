import { isAbandoned, isExpired } from "../../record/expiry";
import { BYTES_SENT, GUEST_USER, isEnded, RECENT_BYTES, UNAUTHENTICATED } from "../../record/session-record";
import type { EndReason, EndedRecord, Ending, SessionRecord } from "../../record/session-record";

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
  /** What the one who ended it has written to its user; null for nothing. */
  readonly endMessage: string | null;
  /** Milliseconds since its last communication. */
  readonly lastComm: number;
  /** Bytes that the client sent in its most recent communication; 0 for one that has ended. */
  readonly recentBytesSent: number;
  /** Bytes that the client sent in all. Approximate under TLS and pipelining. */
  readonly totalBytesSent: number;
  /** How many pages are open now. */
  readonly activePages: number;
  /** The ids of the pages that are open now. */
  readonly pageIds: readonly string[];
  /** Whether its user is authorized as this is read: the `isAuthorized` option says so. One that is over never is. */
  readonly authorized: boolean;
}

/** What is known of a session before the app is asked whether its user is authorized. */
export type StoredSessionInfo = Omit<SessionInfo, "authorized">;

/** Bytes that a client has sent and that are not in the record yet. */
export interface UnwrittenBytes {
  readonly total: number;
  readonly recent: number;
}

/** What is told of a record at `now`. One that has expired is over, whether or not anything has cleared it. (P8) */
export function sessionInfo(
  record: SessionRecord | EndedRecord,
  now: number,
  unwritten?: UnwrittenBytes,
): StoredSessionInfo {
  const end = endOf(record, now);
  const pageIds = end === undefined && !isEnded(record) ? Object.keys(record.pages) : [];
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
    endMessage: end?.message ?? null,
    uptime: since(record.createdAt, end?.endedAt ?? now),
    lastComm: since(record.lastSeenAt, now),
    ...bytesOf(record, unwritten),
    activePages: pageIds.length,
    pageIds,
  };
}

/** How a session ended; undefined while it is live. One that has expired needs nothing to end it. */
export function endOf(record: SessionRecord | EndedRecord, now: number): Omit<Ending, "purgeAt"> | undefined {
  if (isEnded(record)) return record;
  if (!isExpired(record, now)) return undefined;
  return { endedAt: record.expiresAt, reason: isAbandoned(record) ? "abandoned" : "expired", endedBy: null };
}

function bytesOf(record: SessionRecord | EndedRecord, unwritten: UnwrittenBytes | undefined) {
  if (isEnded(record)) {
    return { recentBytesSent: 0, totalBytesSent: (record.bytesSent ?? 0) + (unwritten?.total ?? 0) };
  }
  const { [BYTES_SENT]: total = 0, [RECENT_BYTES]: recent = 0 } = record.counters;
  return {
    recentBytesSent: unwritten?.recent ?? Math.max(0, recent),
    totalBytesSent: total + (unwritten?.total ?? 0),
  };
}

function dateOrNull(instant: number): Date | null {
  return Number.isFinite(instant) ? new Date(instant) : null;
}

/** Another instance's clock may be ahead: nothing began in the future. */
function since(instant: number, now: number): number {
  return Math.max(0, now - instant);
}
