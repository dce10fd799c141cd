import { SessionError } from "../../errors";
import { isExpired } from "../../record/expiry";
import type { SessionRecord } from "../../record/session-record";
import type { CookieView } from "../cookie-view";
import type { OwnRecord } from "./own-record";
import { SessionAttributes } from "../attributes/session-attributes";
import type { SessionMeta } from "../session-meta";
import type { SessionPolicy } from "./session-policy";
import type { SessionState } from "./session-state";
import type { SessionValues } from "../values/session-values";

/** What is fixed about a session that is only there to be read. */
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
    // What is changed here is seen by whoever holds this object, and is never stored.
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

function detached(): SessionError {
  return new SessionError(
    "SESSION_DETACHED",
    "This session object was left behind by regenerate() and can only be read; use req.session.",
  );
}
