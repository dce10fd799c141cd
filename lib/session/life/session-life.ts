import { SessionError } from "../../errors";
import { dictionary, GUEST_USER, RECORD_VERSION } from "../../record/session-record";
import { expiresAt } from "../../record/expiry";
import type { SessionDelta } from "../../record/session-delta";
import { newToken, sessionIdOf } from "../../record/token";
import type { Encoded, SessionRecord } from "../../record/session-record";
import type { Session } from "../session";
import { ownerOf } from "../session-owner";
import type { UserOf } from "../session-owner";
import { SessionValues } from "../values/session-values";
import { sessionEnded } from "./session-ended";
import type { Along, SessionOrigin, SessionPolicy } from "./session-policy";
import { withMergedOwner } from "./session-state";
import { assertChangeFits } from "../../record/record-size";

/**
 * The life of one session: absent (nothing of it is stored), live (`record` is what is known of it), or over. Saving
 * (saving.ts) and starting over (starting-over.ts) move it from one to the next by the methods here. A subclass says
 * where the session is used: in a request with a cookie, or in a program that opened it.
 */
export abstract class SessionLife {
  readonly policy: SessionPolicy;
  #record: SessionRecord | undefined;
  #predecessor: SessionRecord | undefined;
  #values: SessionValues;
  #newId: string | undefined;
  #newToken: string | undefined;
  #over: SessionError | undefined;
  /** Whether it is to be saved even if no value has changed. */
  marked = false;

  constructor(policy: SessionPolicy, record: SessionRecord | undefined) {
    this.policy = policy;
    this.#record = record;
    this.#values = new SessionValues(record?.data);
  }

  /** What the app holds of it. */
  abstract get session(): Session;

  /** Where it is created from, if it is created now. */
  protected abstract origin(): SessionOrigin;

  /** Throws where a call (login, logout, reset, regenerate) can't start a session here, or not any more. */
  abstract assertMayStart(): void;

  /** Whether a session may be created here because data were set, and not by a call. May throw or reject. */
  abstract mayCreate(owner: string): boolean | Promise<boolean>;

  /** Throws where the client can't be given a new session any more. */
  assertHeadersOpen(): void {
    // A subclass has headers.
  }

  /** The session is now this record, which `token` opens; undefined where there is no session any more. */
  protected abstract moved(record: SessionRecord | undefined, token: string | undefined, remember: boolean): void;

  /** What goes along with a write of this record that happens anyway. From now on it counts as written. */
  takeAlong(_record: SessionRecord): Along | undefined {
    return undefined;
  }

  /** Throws where a change could not be saved any more. */
  assertWritable(): void {
    // A subclass knows when it is too late.
  }

  /** Tells whose session it is, from its data; undefined where the data have no say. */
  protected get userOf(): UserOf | undefined {
    return this.policy.userOf;
  }

  /** As it is known here; undefined while nothing is stored. */
  get record(): SessionRecord | undefined {
    return this.#record;
  }

  /** The record that `regenerate` left behind; it is ended in the step that stores the new one. */
  get predecessor(): SessionRecord | undefined {
    return this.#predecessor;
  }

  get values(): SessionValues {
    return this.#values;
  }

  /** Why nothing can be saved any more: the session is over, or the store failed and nobody knows what it kept. */
  get over(): SessionError | undefined {
    return this.#over;
  }

  get id(): string {
    return this.#record?.id ?? this.newId();
  }

  /** Its id; undefined where it is absent and nothing has asked for its id yet. */
  get knownId(): string | undefined {
    return this.#record?.id ?? this.#newId;
  }

  get owner(): string {
    return ownerOf(this.userOf, this.session, this.#record?.owner ?? GUEST_USER);
  }

  get changed(): boolean {
    return this.marked || this.#predecessor !== undefined || this.#values.delta() !== undefined;
  }

  /** The id of the session that is created next: one that its predecessor's store can put in its place. */
  newId(): string {
    if (this.#newId === undefined) {
      const old = this.#record ?? this.#predecessor;
      do {
        this.#newToken = newToken();
        this.#newId = sessionIdOf(this.#newToken);
      } while (old !== undefined && !this.policy.writer.isPlacedWith(this.#newId, old.id));
    }
    return this.#newId;
  }

  /** The token of the session that is created next; undefined until its id is asked for. */
  protected get newToken(): string | undefined {
    return this.#newToken;
  }

  /** The record that would be created now. */
  newRecord(owner: string, data: Record<string, Encoded>, remember: boolean): SessionRecord {
    return newRecord(this.policy, { id: this.newId(), owner, data, origin: this.origin(), remember });
  }

  /** A new record, with its counters. */
  counted(record: SessionRecord): SessionRecord {
    Object.assign(record.counters, this.takeAlong(record)?.counters);
    return record;
  }

  /** What `mutate` writes: the change, checked against the record as it is then. */
  merged(current: SessionRecord, change: SessionDelta): SessionDelta {
    assertChangeFits(current, current.data, change, this.policy);
    return withMergedOwner(this.policy, this.userOf, current, change);
  }

  /** It is live now, under a new id. */
  begin(record: SessionRecord, remember: boolean): void {
    const token = this.#newToken;
    this.#record = record;
    this.#predecessor = undefined;
    this.#over = undefined;
    this.marked = false;
    this.drawAnew();
    this.moved(record, token, remember);
    this.policy.onCreated(record);
  }

  /** It is still live: its record, as it is stored now. */
  goOn(record: SessionRecord): void {
    this.#record = record;
  }

  /** It was loaded again, so what failed before no longer matters. */
  renew(record: SessionRecord): void {
    this.#record = record;
    this.#values.restart(record.data);
    this.#over = undefined;
    this.marked = false;
  }

  /** It is absent now; what was live becomes its predecessor. */
  leaveBehind(): void {
    this.#predecessor ??= this.#record;
    this.#record = undefined;
    this.#values = new SessionValues();
    this.marked = false;
    this.drawAnew();
  }

  /** The predecessor has ended, and has no successor. */
  dropPredecessor(): void {
    this.#predecessor = undefined;
    // The cookie is taken back, and the next session gets another token.
    this.drawAnew();
    this.moved(undefined, undefined, false);
  }

  /** The next session gets another id. */
  drawAnew(): void {
    this.#newId = this.#newToken = undefined;
  }

  /** It is over: the app has destroyed it. */
  destroyed(): void {
    this.#record = undefined;
    this.#predecessor = undefined;
    this.#newToken = undefined;
    this.marked = false;
    this.#values.restart();
    this.moved(undefined, undefined, false);
    this.#over = sessionEnded("destroyed");
  }

  /** It is over: it was ended from elsewhere. Throw what this returns. */
  ended(): SessionError {
    return (this.#over = sessionEnded("meanwhile"));
  }

  /** Waits for a store operation. Where that fails, nobody knows what was kept, and the session saves no more. */
  stored<T>(operation: Promise<T>): Promise<T>;
  stored<T, R>(operation: Promise<T>, then: (answer: T) => R): Promise<R>;
  stored<T>(operation: Promise<T>, then?: (answer: T) => unknown): Promise<unknown> {
    return operation.then(then, (error: unknown) => {
      if (error instanceof SessionError && error.status === 503) this.failed(error);
      throw error;
    });
  }

  /** It is over: the store failed, so the response fails too. */
  protected failed(error: SessionError): void {
    this.#over = error;
  }
}

/** What tells one new session from another. */
export interface NewSession {
  readonly id: string;
  readonly owner: string;
  readonly data: Record<string, Encoded>;
  readonly origin: SessionOrigin;
  /** Whether `rememberMs` is both of its limits. */
  readonly remember: boolean;
}

/** The record of a session that starts now. */
export function newRecord(policy: SessionPolicy, session: NewSession): SessionRecord {
  const createdAt = policy.now();
  const idleMs = session.remember ? policy.rememberMs : policy.limits.idleMs;
  const endsAt = createdAt + (session.remember ? policy.rememberMs : policy.limits.absoluteMs);
  const end = expiresAt({ idleMs, endsAt }, createdAt);
  return {
    v: RECORD_VERSION,
    id: session.id,
    owner: session.owner,
    project: policy.project,
    scope: session.origin.scope,
    createdAt,
    lastSeenAt: createdAt,
    idleMs,
    endsAt,
    expiresAt: end,
    purgeAt: end + policy.keepEndedMs,
    remoteAddress: session.origin.remoteAddress,
    userAgent: session.origin.userAgent,
    data: session.data,
    attributes: dictionary(),
    keys: dictionary(),
    pages: dictionary(),
    counters: dictionary(),
  };
}
