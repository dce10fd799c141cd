import { inspect } from "node:util";
import { SessionError } from "../errors";
import { quoted } from "../record/shown-text";
import type { OpenPage } from "./open-page";
import type { CookieView, SessionMeta } from "./session-meta";
import type { SessionAttributes } from "./attributes/session-attributes";
import type { SecurityKeys } from "./security-keys/security-keys";
import type { DeclaredData } from "./session-data";
import { asProxy, STATE } from "./session-proxy";
import type { LoginOptions, SessionState } from "./life/session-state";

/** A key that was declared in `SessionData`. */
type DataKey = Extract<keyof DeclaredData, string>;

/** Called as Node callbacks are: with the error, or with nothing. */
export type SessionCallback = CallbackMethod["call"];

/**
 * A method's parameters may be narrower than what it is called with, so `(err: Error) => …` is a callback too, as with
 * express-session.
 */
interface CallbackMethod {
  call(error?: unknown): void;
}

/**
 * What the app sees of a session: a dict. Its data are its enumerable properties; its methods are on the prototype.
 * Every method that stores something returns a promise, and calls a Node callback too where it is given one. A promise
 * may be forgotten: its failure then fails the response, or is emitted as `error` where there is no response any more.
 */
export class Session {
  /** @internal */
  declare [STATE]: SessionState;

  /** @internal Sessions are made by the middleware and by `Sessions`, never by an app. */
  constructor(state: SessionState) {
    this[STATE] = state;
    return asProxy(this);
  }

  /** The public handle: SHA-256 of the token, safe to show and to log. */
  get id(): string {
    return this[STATE].id;
  }

  /** The id of the user it belongs to, or `GUEST_USER`. */
  get owner(): string {
    return this[STATE].owner;
  }

  /** Whether nothing of it is stored yet. */
  get isNew(): boolean {
    return this[STATE].isNew;
  }

  /** Whether there is something to save. Throws `SESSION_VALUE` where a value can't be stored. */
  get changed(): boolean {
    return this[STATE].changed;
  }

  /**
   * What is known of this session beside its data: when it began, was last used and will expire, and where it came
   * from.
   */
  get meta(): SessionMeta {
    return this[STATE].meta;
  }

  /** Its pages that were open in browsers when it was loaded, where the app has mounted `sessionPages`. */
  get pages(): readonly OpenPage[] {
    return this[STATE].pages;
  }

  /**
   * Aborts when the session ends, wherever that happens: at once in this process, elsewhere within `killCheckInterval`.
   * For what outlives a request: event streams, websockets, downloads. For a session that is not stored yet it never
   * aborts; after `login`, read it again. Keep it for as long as you need it: once the client has gone, a signal that
   * nothing refers to is dropped, with its listeners.
   */
  get signal(): AbortSignal {
    return this[STATE].signal;
  }

  /** A read-only view for code that was written for express-session. */
  get cookie(): CookieView {
    return this[STATE].cookie;
  }

  /** Named values beside the data, each with an expiry of its own, and encrypted where that is wanted. */
  get attributes(): SessionAttributes {
    return this[STATE].attributes;
  }

  /** Keys that prove that a request comes from a page of this session; see `requireSecurityKey`. */
  get securityKeys(): SecurityKeys {
    return this[STATE].securityKeys;
  }

  /** How many keys there are. */
  get size(): number {
    return this[STATE].values.size;
  }

  /** Whether there is a value under this key. */
  has(key: string): boolean {
    return this[STATE].values.has(key);
  }

  /** The value of a key; `fallback` where the session does not have it. */
  get<K extends DataKey>(key: K): DeclaredData[K] | undefined;
  get<K extends DataKey>(key: K, fallback: DeclaredData[K]): DeclaredData[K];
  get(key: string, fallback?: unknown): unknown;
  get(key: string, fallback?: unknown): unknown {
    const { values } = this[STATE];
    return values.has(key) ? values.get(key) : fallback;
  }

  /** The value of a key that must be there; otherwise throws `SESSION_KEY`. */
  require<K extends DataKey>(key: K): DeclaredData[K];
  require(key: string): unknown;
  require(key: string): unknown {
    const { values } = this[STATE];
    if (!values.has(key)) throw missing(key);
    return values.get(key);
  }

  /** Sets any key, also one of the session's own names. */
  set<K extends DataKey>(key: K, value: DeclaredData[K]): this;
  set(key: string, value: unknown): this;
  set(key: string, value: unknown): this {
    const state = this[STATE];
    state.assertWritable();
    state.values.set(key, value);
    return this;
  }

  /** Sets a key that is not there yet; returns the value that is there afterwards. */
  setDefault<K extends DataKey>(key: K, value: DeclaredData[K]): DeclaredData[K];
  setDefault(key: string, value: unknown): unknown;
  setDefault(key: string, value: unknown): unknown {
    if (!this.has(key)) this.set(key, value);
    return this.get(key);
  }

  /** Returns whether the key was there. */
  delete(key: string): boolean {
    const state = this[STATE];
    if (!state.isNew) state.assertWritable();
    return state.values.delete(key);
  }

  /** Deletes a key that must be there; otherwise throws `SESSION_KEY`. */
  remove(key: string): void {
    if (!this.delete(key)) throw missing(key);
  }

  /** Deletes a key and returns its value; `fallback` where the session does not have it. */
  pop<K extends DataKey>(key: K, fallback?: DeclaredData[K]): DeclaredData[K] | undefined;
  pop(key: string, fallback?: unknown): unknown;
  pop(key: string, fallback?: unknown): unknown {
    const value = this.get(key, fallback);
    this.delete(key);
    return value;
  }

  /** Sets every key of `other`. */
  merge(other: Partial<DeclaredData> | Readonly<Record<string, unknown>>): this {
    for (const [key, value] of Object.entries(other)) this.set(key, value);
    return this;
  }

  /** Deletes every key that this session knows; a key that a parallel request adds meanwhile stays. */
  clear(): void {
    for (const key of this.keys()) this.delete(key);
  }

  /** The keys. */
  keys(): string[] {
    return this[STATE].values.keys();
  }

  /** The values, in the order of `keys()`. */
  values(): unknown[] {
    return this.keys().map((key) => this.get(key));
  }

  /** Each key with its value, in the order of `keys()`. */
  items(): [string, unknown][] {
    return this.keys().map((key) => [key, this.get(key)]);
  }

  /** Iterates over `items()`. */
  *[Symbol.iterator](): Generator<[string, unknown]> {
    yield* this.items();
  }

  /** The session is saved even if nothing seems changed; a new one is created. */
  markChanged(): void {
    const state = this[STATE];
    state.assertWritable();
    state.markChanged();
  }

  /**
   * Changes one key atomically, also against other requests and other machines. `change` is given the stored value
   * (undefined where there is none) and returns the new one. It may be called again, and must have no other effect.
   * Resolves to the new value once that is stored; in a session that is not stored yet, it is stored with the rest. An
   * object of this key that was read before is no longer connected to the session: read it again.
   */
  update<K extends DataKey>(
    key: K,
    change: (value: DeclaredData[K] | undefined) => DeclaredData[K],
  ): Promise<DeclaredData[K]>;
  update(key: string, change: (value: unknown) => unknown): Promise<unknown>;
  update(key: string, change: (value: never) => unknown): Promise<unknown> {
    return this[STATE].given(this[STATE].update(key, change as (value: unknown) => unknown));
  }

  /** Stores the changes now. Resolves when they are stored. */
  save(callback?: SessionCallback): Promise<void> {
    return settle(this[STATE], this[STATE].save(), callback);
  }

  /** Reads the session again, and forgets what was changed here. Rejects with `SESSION_ENDED` where it has ended. */
  reload(callback?: SessionCallback): Promise<void> {
    return settle(this[STATE], this[STATE].reload(), callback);
  }

  /** Renews `lastSeenAt`, and with it the idle limit, now. */
  touch(callback?: SessionCallback): Promise<void> {
    return settle(this[STATE], this[STATE].touch(), callback);
  }

  /** Ends this session and starts an empty one in its place, with a new token and nobody as its owner. */
  reset(callback?: SessionCallback): Promise<void> {
    return settle(this[STATE], this[STATE].reset(), callback);
  }

  /**
   * Signs a user in: ends this session and starts the user's, with a new token and the `keepOnLogin` keys. Stored when
   * the promise resolves. (OWASP ASVS 7.2.4)
   */
  login(user: string | number, options?: LoginOptions, callback?: SessionCallback): Promise<void>;
  login(user: string | number, callback: SessionCallback): Promise<void>;
  login(
    user: string | number,
    options: LoginOptions | SessionCallback = {},
    callback?: SessionCallback,
  ): Promise<void> {
    return typeof options === "function"
      ? settle(this[STATE], this[STATE].login(user, {}), options)
      : settle(this[STATE], this[STATE].login(user, options), callback);
  }

  /** Signs the user out: ends this session and starts a guest's, with a new token and the `keepOnLogout` keys. */
  logout(callback?: SessionCallback): Promise<void> {
    return settle(this[STATE], this[STATE].logout(), callback);
  }

  /** Ends this session, and removes the cookie. */
  destroy(callback?: SessionCallback): Promise<void> {
    return settle(this[STATE], this[STATE].destroy(), callback);
  }

  /**
   * Makes `req.session` a new, empty session; this object can still be read. The old session is ended in the same step
   * that stores the new one: by `save()`, or before the response is sent.
   */
  regenerate(callback?: SessionCallback): Promise<void> {
    return settle(this[STATE], this[STATE].regenerate(), callback);
  }

  /** A text without any value, for messages and logs. */
  [Symbol.toPrimitive](): string {
    return "[object Session]";
  }

  /** What logs show: the names of the keys, and no value. */
  [inspect.custom](_depth: number, options: object): string {
    const { id, owner, isNew } = this;
    return `Session ${inspect({ id, owner, isNew, keys: this.keys() }, options)}`;
  }
}

/** A session as a request has it: the dict with the keys that the app declared. */
export type RequestSession = Session & Partial<DeclaredData>;

function missing(key: string): SessionError {
  return new SessionError(
    "SESSION_KEY",
    `The session has no ${quoted(key)}; use get(key, fallback) or delete(key) where it may be absent.`,
  );
}

function settle(state: SessionState, promise: Promise<void>, callback: SessionCallback | undefined): Promise<void> {
  if (callback === undefined) return state.given(promise);
  // The callback runs outside the promise, so that what it throws is not mistaken for a failed save.
  return promise.then(
    () => void setImmediate(callback),
    (error: unknown) => void setImmediate(callback, error),
  );
}
