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
import type { SessionOrigin, SessionPolicy } from "./session-policy";
import { withMergedOwner } from "./session-state";
import { assertChangeFits } from "../../record/record-size";

/**
 * The life of one session: absent (nothing is stored), live (`record` is what is known of it), or over. What saves it
 * (saving.ts) and what starts it over (starting-over.ts) moves it from one to the other by the methods here.
 * A subclass says where the session is at home: in a request with its cookie, or in a program that opened it.
 */
export abstract class SessionLife {
  readonly policy: SessionPolicy;
  #record: SessionRecord | undefined;
  #predecessor: SessionRecord | undefined;
  #values: SessionValues;
  #newId: string | undefined;
  #newToken: string | undefined;
  #over: SessionError | undefined;
  /** Whether it is saved even if no value has changed. */
  marked = false;

  constructor(policy: SessionPolicy, record: SessionRecord | undefined) {
    this.policy = policy;
    this.#record = record;
    this.#values = new SessionValues(record?.data);
  }

  /** What the app holds of it. */
  abstract get session(): Session;

  /** Where it would be created from. */
  protected abstract origin(): SessionOrigin;

  /** Throws where the app can't start a session here by a call, or not any more. */
  abstract assertMayStart(): void;

  /** Whether a session may be created here for data that were set, as against by a call. May reject. */
  abstract mayCreate(owner: string): boolean | Promise<boolean>;

  /** It is now this record, which `token` opens where it is a new one; undefined where there is none any more. */
  protected abstract moved(record: SessionRecord | undefined, token: string | undefined, remember: boolean): void;

  /** What to add to the counters of this record, with a write that happens anyway; it is counted as written. */
  takeCounters(_record: SessionRecord): Readonly<Record<string, number>> | undefined {
    return undefined;
  }

  /** Throws where a change could not be saved any more. */
  assertWritable(): void {
    // Anything can be saved at any time, unless a subclass knows better.
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

  /** Its id, where one was needed so far. */
  get knownId(): string | undefined {
    return this.#record?.id ?? this.#newId;
  }

  get owner(): string {
    return ownerOf(this.userOf, this.session, this.#record?.owner ?? GUEST_USER);
  }

  get changed(): boolean {
    return this.marked || this.#predecessor !== undefined || this.#values.delta() !== undefined;
  }

  /** The id of the session that is created next. */
  newId(): string {
    if (this.#newId === undefined) {
      this.#newToken = newToken();
      this.#newId = sessionIdOf(this.#newToken);
    }
    return this.#newId;
  }

  /** The token of the session that is created next; undefined until its id was needed. */
  protected get newToken(): string | undefined {
    return this.#newToken;
  }

  /** The record that would be created now. */
  newRecord(owner: string, data: Record<string, Encoded>, remember: boolean): SessionRecord {
    return newRecord(this.policy, { id: this.newId(), owner, data, origin: this.origin(), remember });
  }

  /** A new record, with what was counted for it. */
  counted(record: SessionRecord): SessionRecord {
    Object.assign(record.counters, this.takeCounters(record));
    return record;
  }

  /** What `mutate` writes: the change, checked against the record as it is then. */
  merged(current: SessionRecord, change: SessionDelta): SessionDelta {
    assertChangeFits(current, current.data, change, this.policy);
    return withMergedOwner(this.policy, this.userOf, current, change);
  }

  /** It is stored, under a new id. */
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

  /** The same session, as it is stored now. */
  goOn(record: SessionRecord): void {
    this.#record = record;
  }

  /** It was read again: what failed before is made good. */
  renew(record: SessionRecord): void {
    this.#record = record;
    this.#values.restart(record.data);
    this.#over = undefined;
    this.marked = false;
  }

  /** An absent session takes the place of this one, which ends when the new one is stored. */
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
    // Its token is given up with the cookie that this takes back.
    this.drawAnew();
    this.moved(undefined, undefined, false);
  }

  /** The next session gets another id. */
  drawAnew(): void {
    this.#newId = this.#newToken = undefined;
  }

  /** The app has destroyed it. */
  destroyed(): void {
    this.#record = undefined;
    this.#predecessor = undefined;
    this.#newToken = undefined;
    this.marked = false;
    this.#values.restart();
    this.moved(undefined, undefined, false);
    this.#over = sessionEnded("destroyed");
  }

  /** It was ended from elsewhere; throw what this returns. */
  ended(): SessionError {
    return (this.#over = sessionEnded("meanwhile"));
  }

  /** Waits for a store operation; where it fails, nobody knows what was kept, and this session saves no more. */
  stored<T>(operation: Promise<T>): Promise<T>;
  stored<T, R>(operation: Promise<T>, then: (answer: T) => R): Promise<R>;
  stored<T>(operation: Promise<T>, then?: (answer: T) => unknown): Promise<unknown> {
    return operation.then(then, (error: unknown) => {
      if (error instanceof SessionError && error.status === 503) this.failed(error);
      throw error;
    });
  }

  /** The store failed, so the response fails too, and nothing is saved after it. */
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
