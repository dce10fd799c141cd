import { SessionError } from "../errors";

/** The owner of sessions that belong to nobody. */
export const GUEST_USER = "__guest__";

/** What people and listings call the owner of such sessions; no user can have this name either. */
export const UNAUTHENTICATED = "Unauthenticated";

/** The format that this version writes. A record of a newer format is `SESSION_UNREADABLE`, never absent. */
export const RECORD_VERSION = 1;

/** One stored value: JSON text where the value is plain JSON, otherwise a structured clone as `node:v8` writes it. */
export type Encoded = string | Uint8Array;

/**
 * What a store keeps of a session. All instants are milliseconds since the epoch.
 *
 * The five maps inherit nothing (see `dictionary`), so that `__proto__`, `constructor` and the empty string are keys
 * like any other. A record that a store hands out stays as it is: nobody overwrites its memory, and the receiver does
 * not change it, because the store may hand out the same one again.
 */
export interface SessionRecord {
  v: typeof RECORD_VERSION;
  /** SHA-256 of the token, base64url: the store's key, safe to show and log. */
  id: string;
  /** The id of the user the session belongs to, or `GUEST_USER`. */
  owner: string;
  project: string;
  scope: string;
  createdAt: number;
  lastSeenAt: number;
  /** The longest gap between two requests, in milliseconds; `Infinity` for none. */
  idleMs: number;
  /** The end that activity never moves; `Infinity` for none. */
  endsAt: number;
  /** `min(lastSeenAt + idleMs, endsAt)`: at this millisecond the session is over. */
  expiresAt: number;
  /** When clearing may take the record; `Infinity` where the session has no end. */
  purgeAt: number;
  remoteAddress: string;
  userAgent: string;
  data: Record<string, Encoded>;
  attributes: Record<string, AttributeRecord>;
  keys: Record<string, SecurityKeyRecord>;
  pages: Record<string, PageRecord>;
  counters: Record<string, number>;
}

/** An attribute: a named value beside the session's data, with a life of its own. */
export interface AttributeRecord {
  value: Encoded;
  encrypted: boolean;
  createdAt: number;
  modifiedAt: number;
  expiresAt: number;
}

/** A one-time key that is bound to the session. */
export interface SecurityKeyRecord {
  payload: Encoded;
  createdAt: number;
  expiresAt: number;
}

/** A page of the session that is open in the browser. */
export interface PageRecord {
  path: string;
  title: string;
  openedAt: number;
  seenAt: number;
}

/** Why a session is over. */
export type EndReason = "login" | "logout" | "reset" | "killed" | "expired" | "closed" | "abandoned" | "limit";

/** How a session is ended: when, why, by whom, and until when that is remembered. */
export interface Ending {
  endedAt: number;
  reason: EndReason;
  /** The user who ended it, or null where nobody in particular did. */
  endedBy: string | null;
  /** What the user may read about it, up to 500 characters. */
  message?: string;
  /** When clearing may take the ended record; where it is not later than `endedAt`, nothing is kept at all. */
  purgeAt: number;
}

/** What is kept of a session that is over: who, when and why, and none of its data. */
export interface EndedRecord extends Ending {
  v: typeof RECORD_VERSION;
  id: string;
  owner: string;
  project: string;
  scope: string;
  createdAt: number;
  lastSeenAt: number;
  remoteAddress: string;
  userAgent: string;
  /** How many bytes the client had sent, as far as they were written; absent for none. */
  bytesSent?: number;
}

/** Whether a record that `find` returned is that of an ended session. */
export function isEnded(record: SessionRecord | EndedRecord): record is EndedRecord {
  return "endedAt" in record;
}

/** The counter of the bytes that the client has sent. */
export const BYTES_SENT = "bytesSent";
/**
 * The counter of the bytes of its most recent request. As any counter it is only added to, here the difference to the
 * request before.
 */
export const RECENT_BYTES = "recentBytes";

/** What remains of a live record when it is ended. */
export function endedRecord(live: SessionRecord, ending: Ending): EndedRecord {
  const bytesSent = live.counters[BYTES_SENT] ?? 0;
  return {
    v: live.v,
    id: live.id,
    owner: live.owner,
    project: live.project,
    scope: live.scope,
    createdAt: live.createdAt,
    lastSeenAt: live.lastSeenAt,
    remoteAddress: live.remoteAddress,
    userAgent: live.userAgent,
    endedAt: ending.endedAt,
    reason: ending.reason,
    endedBy: ending.endedBy,
    purgeAt: ending.purgeAt,
    ...(ending.message === undefined ? undefined : { message: ending.message }),
    ...(bytesSent > 0 ? { bytesSent } : undefined),
  };
}

/** The sessions that a tally counts together. */
export interface SessionGroup {
  readonly project: string;
  readonly scope: string;
  /** Whether they belong to nobody. */
  readonly isGuest: boolean;
}

export function groupOf({ project, scope, owner }: Pick<SessionRecord, "project" | "scope" | "owner">): SessionGroup {
  return { project, scope, isGuest: owner === GUEST_USER };
}

/** The scope of clientless sessions: they have no cookie, and no cookie opens them. */
export const CLIENTLESS_SCOPE = "clientless";

/** Whether this can be the name of a project: up to 64 letters, digits, `-`, `_` and `.`. */
export function isProjectName(project: unknown): project is string {
  return typeof project === "string" && /^[\w.-]{0,64}$/.test(project);
}

/** A stored session has the format of a later version: it is sound, and that version can read it. */
export class NewerFormatError extends SessionError {
  constructor(id: string, format: number) {
    super(
      "SESSION_UNREADABLE",
      `The session ${id} is stored in format ${format}, and this version of coatcheck reads ${RECORD_VERSION}; upgrade coatcheck.`,
    );
  }
}

/** An empty map that inherits nothing: every string is a plain key in it, `__proto__` included. */
export function dictionary<T>(): Record<string, T> {
  return new Dictionary() as Record<string, T>;
}

/**
 * Its instances inherit from an empty prototype. An object without any prototype, `Object.create(null)`, is a hash
 * table to V8, which takes fifteen times as long to copy.
 */
const Dictionary = function () {
  // Empty: the keys come later.
} as unknown as new () => object;
Object.assign(Dictionary, { prototype: Object.freeze(Object.create(null) as object) });
