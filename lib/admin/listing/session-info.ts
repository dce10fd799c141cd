import { isAbandoned, isExpired } from "../../record/expiry";
import { otherClient } from "../../record/other-client";
import { openPagesOf } from "../../record/open-pages";
import { BYTES_SENT, GUEST_USER, isEnded, RECENT_BYTES, UNAUTHENTICATED } from "../../record/session-record";
import type { EndReason, EndedRecord, Ending, SessionRecord } from "../../record/session-record";
import { openPages } from "../../session/open-page";
import type { OpenPage } from "../../session/open-page";
import { encodedBytes } from "../../record/value/value-encoding";

// What an administrator sees: the console shows each field in console/pages/detail-page.ts, the command line in
// cli/commands/show.ts.
/** What may be shown of a session: never its token, never its data. */
export interface SessionInfo {
  /** The id of the session: safe to show and to log. */
  readonly id: string;
  /** The user it belongs to, or `"Unauthenticated"`. */
  readonly username: string;
  /** The name of the app that it belongs to. */
  readonly project: string;
  /** `browser`, `clientless`, or what the app's option `scope` returns. */
  readonly sessionScope: string;
  /** The `User-Agent` that it was created with; `""` for none. */
  readonly userAgent: string;
  /** The address that it was created from; `""` for none. */
  readonly clientAddress: string;
  /**
   * The latest client that used the session and is not the one it was created with: another address, another browser,
   * or both. Null for none, and for a session that is over.
   */
  readonly otherClient: OtherClientInfo | null;
  /** When it began. */
  readonly createdAt: Date;
  /** When it was last used, to within the option `touchInterval`. */
  readonly lastSeenAt: Date;
  /** When it expires if no other request comes; null for never, and for a session that is over. */
  readonly expiresAt: Date | null;
  /** Null while it is live. */
  readonly endedAt: Date | null;
  /** Why it ended; null while it is live. */
  readonly endReason: EndReason | null;
  /** The user who ended it; null where no user did. */
  readonly endedBy: string | null;
  /** Milliseconds since it was created, until now or its end. */
  readonly uptime: number;
  /** The message to its user from whoever ended it; null for none. */
  readonly endMessage: string | null;
  /** Milliseconds since its last request. */
  readonly lastComm: number;
  /** Bytes that the client sent in its most recent request; 0 for a session that has ended. */
  readonly recentBytesSent: number;
  /** Bytes that the client sent in total. Approximate under TLS and pipelining. */
  readonly totalBytesSent: number;
  /** How many pages are open now. */
  readonly activePages: number;
  /** The ids of the pages that are open now. */
  readonly pageIds: readonly string[];
  /** Whether its user is authorized now, by the option `isAuthorized`. Always false for a session that is over. */
  readonly authorized: boolean;
}

/** Another client of a session. It is stored with the next save or touch, and stays when the first one is back. */
export interface OtherClientInfo {
  /** Its `User-Agent`; `""` for none. */
  readonly userAgent: string;
  /** Its address. */
  readonly clientAddress: string;
  /** When the session was first seen to be used by another client. */
  readonly since: Date;
}

/** A `SessionInfo` before the app is asked whether the user is authorized. */
export type StoredSessionInfo = Omit<SessionInfo, "authorized">;

/** A key of a session's data and the size of its value; never the value. */
export interface DataDescription {
  /** The key. */
  readonly name: string;
  /** The size of the stored value. */
  readonly bytes: number;
}

/** An attribute without its value. */
export interface AttributeDescription extends DataDescription {
  /** Whether its value is encrypted in the store. */
  readonly encrypted: boolean;
  /** When it was created. */
  readonly createdAt: Date;
  /** When its value was last set. */
  readonly modifiedAt: Date;
  /** Null where it ends with its session. */
  readonly expiresAt: Date | null;
}

/** A session with the names and sizes of what is in it. */
export interface SessionDescription {
  /** What may be shown of the session. */
  readonly info: SessionInfo;
  /** In the order of their names; empty for a session that is over. */
  readonly data: readonly DataDescription[];
  /** Its attributes, without their values; empty for a session that is over. */
  readonly attributes: readonly AttributeDescription[];
  /** The pages that are open now, in the order in which they were opened. */
  readonly pages: readonly OpenPage[];
}

/** Bytes that a client has sent and that are not yet in the record. */
export interface UnwrittenBytes {
  readonly total: number;
  readonly recent: number;
}

/** The info about a record at `now`. An expired session is over, whether or not it has been cleared. (P8) */
export function sessionInfo(
  record: SessionRecord | EndedRecord,
  now: number,
  unwritten?: UnwrittenBytes,
): StoredSessionInfo {
  const end = endOf(record, now);
  const pageIds = end === undefined && !isEnded(record) ? openPagesOf(record.pages, now).map(({ id }) => id) : [];
  return {
    id: record.id,
    username: record.owner === GUEST_USER ? UNAUTHENTICATED : record.owner,
    project: record.project,
    sessionScope: record.scope,
    userAgent: record.userAgent,
    clientAddress: record.remoteAddress,
    otherClient: end === undefined && !isEnded(record) ? otherClientInfo(record) : null,
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

/** The description of a record at `now`, without values and without attributes that have expired. */
export function describeSession(
  record: SessionRecord | EndedRecord,
  info: SessionInfo,
  now: number,
): SessionDescription {
  if (isEnded(record) || info.endedAt !== null) return { info, data: [], attributes: [], pages: [] };
  const data = Object.entries(record.data).map(([name, value]) => ({ name, bytes: encodedBytes(value) }));
  const attributes = Object.entries(record.attributes)
    .filter(([, attribute]) => now < attribute.expiresAt)
    .map(([name, attribute]) => ({
      name,
      bytes: encodedBytes(attribute.value),
      encrypted: attribute.encrypted,
      createdAt: new Date(attribute.createdAt),
      modifiedAt: new Date(attribute.modifiedAt),
      expiresAt: Number.isFinite(attribute.expiresAt) ? new Date(attribute.expiresAt) : null,
    }));
  return { info, data: data.sort(byName), attributes: attributes.sort(byName), pages: openPages(record, now) };
}

/** How a session ended; undefined while it is live. An expired session has ended without being ended. */
export function endOf(record: SessionRecord | EndedRecord, now: number): Omit<Ending, "purgeAt"> | undefined {
  if (isEnded(record)) return record;
  if (!isExpired(record, now)) return undefined;
  return { endedAt: record.expiresAt, reason: isAbandoned(record) ? "abandoned" : "expired", endedBy: null };
}

function otherClientInfo(record: SessionRecord): OtherClientInfo | null {
  const other = otherClient(record);
  if (other === undefined) return null;
  return { userAgent: other.userAgent, clientAddress: other.remoteAddress, since: new Date(other.since) };
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

/** Never negative, though another instance's clock may be ahead. */
function since(instant: number, now: number): number {
  return Math.max(0, now - instant);
}

function byName(a: DataDescription, b: DataDescription): number {
  return a.name < b.name ? -1 : 1;
}
