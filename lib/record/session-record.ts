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
  /** The format of the record. */
  v: typeof RECORD_VERSION;
  /** SHA-256 of the token, base64url: the store's key, safe to show and log. */
  id: string;
  /** The id of the user the session belongs to, or `GUEST_USER`. */
  owner: string;
  /** The name of the app that the session belongs to; `""` where a store has one app. */
  project: string;
  /** Where the session is used: `"browser"`, `"clientless"`, or what the app's option `scope` returns. */
  scope: string;
  /** When the session began. */
  createdAt: number;
  /** When it was last used, to within the option `touchInterval`. */
  lastSeenAt: number;
  /** The longest gap between two requests, in milliseconds; `Infinity` for none. */
  idleMs: number;
  /** The end that activity never moves; `Infinity` for none. */
  endsAt: number;
  /** `min(lastSeenAt + idleMs, endsAt)`: at this millisecond the session is over. */
  expiresAt: number;
  /** When clearing may take the record; `Infinity` where the session has no end. */
  purgeAt: number;
  /** The address that the session was created from, up to 64 characters; `""` where there is none. */
  remoteAddress: string;
  /** The `User-Agent` that it was created with, up to 512 characters; `""` where there is none. */
  userAgent: string;
  /** What the app keeps: an encoded value for each key. */
  data: Record<string, Encoded>;
  /** The attributes by name. */
  attributes: Record<string, AttributeRecord>;
  /** The one-time security keys, each under the hash of the key. */
  keys: Record<string, SecurityKeyRecord>;
  /** The open pages by their ids. */
  pages: Record<string, PageRecord>;
  /** Numbers that are only added to, such as the bytes that the client has sent. */
  counters: Record<string, number>;
}

/** An attribute: a named value beside the session's data, with a life of its own. */
export interface AttributeRecord {
  /** The encoded value; where it is encrypted, the ciphertext. */
  value: Encoded;
  /** Whether `value` is encrypted. */
  encrypted: boolean;
  /** When the attribute was created. */
  createdAt: number;
  /** When its value was last set. */
  modifiedAt: number;
  /** The millisecond at which it is gone; `Infinity` for as long as the session. */
  expiresAt: number;
}

/** A one-time key that is bound to the session. */
export interface SecurityKeyRecord {
  /** The encoded payload that validating the key returns. */
  payload: Encoded;
  /** When the key was made. */
  createdAt: number;
  /** The millisecond from which it is no longer valid. */
  expiresAt: number;
}

/** A page of the session that is open in the browser. */
export interface PageRecord {
  /** The path of the page, without the query. */
  path: string;
  /** The title of its document, up to 200 characters. */
  title: string;
  /** When the page was opened. */
  openedAt: number;
  /** When the page last said that it is open. */
  seenAt: number;
}

/** Why a session is over. */
export type EndReason = "login" | "logout" | "reset" | "killed" | "expired" | "closed" | "abandoned" | "limit";

/** How a session is ended: when, why, by whom, and until when that is remembered. */
export interface Ending {
  /** When the session ended, in milliseconds since the epoch. */
  endedAt: number;
  /** Why it ended. */
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
  /** The format of the record. */
  v: typeof RECORD_VERSION;
  /** The id of the session, as it was while it was live. */
  id: string;
  /** The user whom it belonged to, or `GUEST_USER`. */
  owner: string;
  /** The name of its app. */
  project: string;
  /** Where it was used. */
  scope: string;
  /** When the session began. */
  createdAt: number;
  /** When it was last used. */
  lastSeenAt: number;
  /** The address that it was created from. */
  remoteAddress: string;
  /** The `User-Agent` that it was created with. */
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
 * The counter of the bytes of its most recent request. Like every counter, it is only added to: here, the difference
 * from the request before.
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
  /** The name of the app. */
  readonly project: string;
  /** Where the sessions are used: `"browser"`, `"clientless"`, or what the option `scope` returns. */
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
