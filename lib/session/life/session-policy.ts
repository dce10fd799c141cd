import type { AttributeEncryption } from "../../record/crypto/attribute-encryption";
import type { ExpiryPolicy } from "../../record/expiry";
import type { SessionDelta } from "../../record/session-delta";
import type { EndedRecord, Ending, EndReason, SessionRecord } from "../../record/session-record";
import type { SessionWatch } from "../session-watch";
import type { UserOf } from "../session-owner";

/** What a session needs of a store. Everything rejects with a SessionError, and within the store's time limit. */
export interface RecordWriter {
  load(id: string): SessionRecord | undefined | Promise<SessionRecord | undefined>;
  create(record: SessionRecord): Promise<void>;
  /**
   * Writes a change of the session that was loaded as `record`; false where it has ended. Near its end, the store
   * checks the expiry in the same step.
   */
  write(record: SessionRecord, delta: SessionDelta): Promise<boolean>;
  /** The second step for a record that was created unfinished; false where it has ended. */
  finish(record: SessionRecord, delta: SessionDelta): Promise<boolean>;
  mutate(id: string, change: (record: SessionRecord) => SessionDelta | undefined): Promise<SessionRecord | undefined>;
  /** Whether `replace` can put a record of this id in the place of one of the other; otherwise another is drawn. */
  isPlacedWith(id: string, oldId: string): boolean;
  replace(oldId: string, ending: Ending, record: SessionRecord): Promise<boolean>;
  end(id: string, ending: Ending): Promise<boolean>;
  /** What is remembered of the session of this id, if it has ended. */
  find(query: { readonly state: "ended"; readonly id: string }): AsyncIterable<SessionRecord | EndedRecord>;
}

/** The rules that all sessions of one `Sessions` follow. Durations in milliseconds. */
export interface SessionPolicy {
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
  /** Tells whose session it is. Undefined: what passport says, where it is at work. */
  readonly userOf: UserOf | undefined;
  /** Encrypts attributes with the secrets, where there are any. */
  readonly encryption: AttributeEncryption;
  /** Tells when sessions end, wherever that happens. */
  readonly watch: () => SessionWatch;
  readonly onCreated: (record: SessionRecord) => void;
  /**
   * What has to be done once a user's session is stored, and before the login resolves. Absent where that is nothing.
   * `began`: with the login, or before it, where the data of an existing session came to name its user.
   */
  readonly afterLogin?: (record: SessionRecord, began: "now" | "before") => Promise<void>;
  readonly onEnded: (record: Pick<SessionRecord, "id" | "owner">, reason: EndReason) => void;
}

/** What goes along with a write that happens anyway. */
export type Along = Pick<SessionDelta, "counters" | "pages">;

/** Where a session was created from. */
export type SessionOrigin = Pick<SessionRecord, "remoteAddress" | "userAgent" | "scope">;
