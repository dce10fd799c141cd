import { SessionError } from "../../errors";
import { isExpired } from "../../record/expiry";
import { applyDelta } from "../../record/session-delta";
import type { SessionDelta } from "../../record/session-delta";
import type { SessionRecord } from "../../record/session-record";
import { SessionAttributes } from "../attributes/session-attributes";
import type { SecurityKeys } from "../security-keys/security-keys";
import { Session } from "../session";
import { openPages } from "../open-page";
import type { OpenPage } from "../open-page";
import { abortedSignal } from "../session-signal";
import { cookieView, sessionMeta } from "../session-meta";
import type { CookieView, SessionMeta } from "../session-meta";
import { ownerOf } from "../session-owner";
import type { UserOf } from "../session-owner";
import { SessionValues } from "../values/session-values";
import type { SessionPolicy } from "./session-policy";

/** How to sign in. */
export interface LoginOptions {
  /** Keeps the user signed in for `rememberTimeout`, with a cookie that survives the browser. Default false. */
  readonly remember?: boolean;
}

/** What stands behind a `Session`: its values, and what can be done with them. */
export interface SessionState {
  readonly values: SessionValues;
  readonly id: string;
  readonly owner: string;
  readonly isNew: boolean;
  readonly changed: boolean;
  readonly meta: SessionMeta;
  readonly pages: readonly OpenPage[];
  readonly signal: AbortSignal;
  readonly cookie: CookieView;
  readonly attributes: SessionAttributes;
  readonly securityKeys: SecurityKeys;
  /** The promise that the app is given: one that it may forget. */
  given<T>(promise: Promise<T>): Promise<T>;
  /** Throws where a change could not be saved any more. */
  assertWritable(): void;
  markChanged(): void;
  update(key: string, change: (value: unknown) => unknown): Promise<unknown>;
  save(): Promise<void>;
  reload(): Promise<void>;
  touch(): Promise<void>;
  reset(): Promise<void>;
  login(user: string | number, options: LoginOptions): Promise<void>;
  logout(): Promise<void>;
  destroy(): Promise<void>;
  regenerate(): Promise<void>;
}

/** The record of a session, as its attributes and security keys read and change it. */
export interface OwnRecord {
  /** The promise that the app is given: one that it may forget. */
  given<T>(promise: Promise<T>): Promise<T>;
  /** As last known; undefined where nothing is stored yet. */
  readonly record: SessionRecord | undefined;
  /**
   * The same, for reading: undefined also where the session has ended. It is loaded again only where its limits, as
   * last known, have passed meanwhile: a touch beside the request may have moved them.
   */
  current(): SessionRecord | undefined | Promise<SessionRecord | undefined>;
  /**
   * Changes it atomically, and resolves to the record as it is then. `decide` returns what to change, undefined for
   * nothing; it may be called again, and must have no other effect. Rejects with what `decide` throws, and with
   * `SESSION_ENDED` where the session has ended. A session of which nothing is stored yet is created with the change
   * and with its data, in one step.
   */
  change(decide: (record: SessionRecord) => SessionDelta | undefined): Promise<SessionRecord>;
}

/** What a session that can only be read is made of. */
export type DetachedFields = Pick<SessionState, "id" | "owner" | "isNew" | "meta" | "cookie" | "given">;

/** Behind a session that can be read and changed in memory, but no longer stored: the old one after `regenerate()`. */
export class DetachedState implements SessionState, OwnRecord {
  readonly #policy: SessionPolicy;
  readonly record: SessionRecord | undefined;
  readonly values: SessionValues;
  readonly id: string;
  readonly owner: string;
  readonly isNew: boolean;
  readonly meta: SessionMeta;
  readonly cookie: CookieView;
  readonly changed = false;
  readonly #fields: DetachedFields;

  constructor(policy: SessionPolicy, record: SessionRecord | undefined, values: SessionValues, fields: DetachedFields) {
    this.#policy = policy;
    this.#fields = fields;
    this.record = record;
    this.values = values;
    this.id = fields.id;
    this.owner = fields.owner;
    this.isNew = fields.isNew;
    this.meta = fields.meta;
    this.cookie = fields.cookie;
  }

  given<T>(promise: Promise<T>): Promise<T> {
    return this.#fields.given(promise);
  }

  get pages(): readonly OpenPage[] {
    return openPages(this.record, this.#policy.now());
  }

  get signal(): AbortSignal {
    return abortedSignal();
  }

  get attributes(): SessionAttributes {
    return new SessionAttributes(this, this.#policy);
  }

  current(): SessionRecord | undefined {
    return this.record === undefined || isExpired(this.record, this.#policy.now()) ? undefined : this.record;
  }

  async change(): Promise<never> {
    throw detached();
  }

  get securityKeys(): never {
    throw detached();
  }

  assertWritable(): void {
    // What is changed here is seen by the code that holds this object, and is never stored.
  }

  markChanged(): void {
    throw detached();
  }

  async update(): Promise<never> {
    throw detached();
  }

  async save(): Promise<void> {
    throw detached();
  }

  async reload(): Promise<void> {
    throw detached();
  }

  async touch(): Promise<void> {
    throw detached();
  }

  async reset(): Promise<void> {
    throw detached();
  }

  async login(): Promise<void> {
    throw detached();
  }

  async logout(): Promise<void> {
    throw detached();
  }

  async destroy(): Promise<void> {
    throw detached();
  }

  async regenerate(): Promise<void> {
    throw detached();
  }
}

/** The change, with the owner that the data name once the change is applied to the current record. */
export function withMergedOwner(
  policy: SessionPolicy,
  userOf: UserOf | undefined,
  current: SessionRecord,
  change: SessionDelta,
): SessionDelta {
  if (userOf === undefined) return change;
  const merged = applyDelta(current, change);
  const state = new DetachedState(policy, merged, new SessionValues(merged.data), {
    id: current.id,
    owner: current.owner,
    isNew: false,
    meta: sessionMeta(current),
    cookie: cookieView(null, current.createdAt, current.lastSeenAt),
    given: (promise) => promise,
  });
  const owner = ownerOf(userOf, new Session(state), current.owner);
  return owner === current.owner ? change : { ...change, owner };
}

function detached(): SessionError {
  return new SessionError(
    "SESSION_DETACHED",
    "This session object was left behind by regenerate() and can only be read; use req.session.",
  );
}
