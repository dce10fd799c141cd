import type { OnForgotten } from "../../forgettable";
import type { AttributeEncryption } from "../../record/crypto/attribute-encryption";
import type { ExpiryPolicy } from "../../record/expiry";
import type { EndReason, SessionRecord } from "../../record/session-record";
import type { RecordWriter } from "./record-writer";
import type { Session } from "../session";
import type { OwnerRule } from "../session-owner";

/** The rules that all sessions of one `Sessions` follow. Durations in milliseconds. */
export interface SessionPolicy extends OwnerRule {
  readonly writer: RecordWriter;
  /** The clock: milliseconds since the epoch. */
  readonly now: () => number;
  readonly limits: ExpiryPolicy;
  /** Both limits of a session that was logged in with `remember`. */
  readonly rememberMs: number;
  readonly keepEndedMs: number;
  /** The largest record, in bytes; `recordBytes` counts them. */
  readonly maxBytes: number;
  readonly keepOnLogin: readonly string[];
  readonly keepOnLogout: readonly string[];
  readonly project: string;
  /** Encrypts attributes with the secrets, where there are any. */
  readonly encryption: AttributeEncryption;
  readonly onCreated: (record: SessionRecord) => void;
  /**
   * What has to be done once a user's session is stored, and before the login resolves. Absent where that is nothing. `began`: with the login,
   * or before it, where the data of a session that was there have named its user.
   */
  readonly afterLogin?: (record: SessionRecord, began: "now" | "before") => Promise<void>;
  readonly onEnded: (record: Pick<SessionRecord, "id" | "owner">, reason: EndReason) => void;
}

/** Where a session was created from. */
export type SessionOrigin = Pick<SessionRecord, "remoteAddress" | "userAgent" | "scope">;

/** Where a session is at home: a request with its cookie, or a program that opened it. */
export interface SessionPlace {
  /** A new id, with whatever is needed to come back to it. */
  newId(): string;
  origin(): SessionOrigin;
  /** When the client will have forgotten the session; null where it goes with the browser. Milliseconds since the epoch. */
  forgottenAt(record: SessionRecord): number | null;
  /** Throws `SESSION_HEADERS_SENT` where a new session could not be handed to the client any more. */
  assertHeadersOpen(): void;
  /** The app changes data of a session, which is stored already or would be new; throws where that can't be saved any more. */
  changing(isStored: boolean): void;
  /** Throws also `SESSION_INSECURE` where no session may be handed out at all. */
  assertMayStart(): void;
  /** Whether a session may be created here for data that were set, as against by `login`. May reject with `SESSION_ENDED`. */
  mayCreate(owner: string): boolean | Promise<boolean>;
  /** Whether the session of this id was replaced a moment ago, so that a login that began with it may go on. */
  wasReplaced(id: string): Promise<boolean>;
  /** What was done with the session has failed, and the app has not awaited it. */
  readonly forgotten: OnForgotten;
  /** Whether passport is at work here, so that what a session has under `passport` is its own. Absent where it never is. */
  readonly usesPassport?: boolean;
  /** A key for this use, derived from the token that `id` was made of; undefined where that is not known here. Absent where nothing has a token. */
  keyFor?(id: string, use: string): string | undefined;
  /** Such a key, or one that is like it, goes to the client: no shared cache may keep the answer. */
  keyShown?(): void;
  /** Whether a save that failed may be tried again; otherwise nothing is saved after it, as the answer has failed with it. */
  readonly mayTryAgain?: boolean;
  /** The session is now this record; undefined where there is none any more. */
  moved(record: SessionRecord | undefined, remember: boolean): void;
  /** What to add to the counters of this record, with a write that happens anyway; it is counted as written. Absent where nothing is counted. */
  takeCounters?(record: SessionRecord): Readonly<Record<string, number>> | undefined;
  /** `regenerate` made a new object. */
  install(session: Session): void;
}
