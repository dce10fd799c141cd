import { hash, timingSafeEqual } from "node:crypto";
import { inspect } from "node:util";
import { SessionError } from "../../errors";
import { assertCallOptions } from "../../options/reader/read-options";
import { expiresInMs } from "../../record/duration";
import type { Duration } from "../../record/duration";
import { isExpired } from "../../record/expiry";
import type { MapDelta } from "../../record/session-delta";
import { dictionary } from "../../record/session-record";
import type { Encoded, SecurityKeyRecord } from "../../record/session-record";
import { isToken, newToken } from "../../record/token";
import { encodeValue } from "../../record/value/value-encoding";
import type { OwnRecord } from "../life/session-state";
import { decodedValue } from "../values/change-detection";
import { maskedKey, unmaskedKey } from "./key-mask";

/** How a one-time key is made. */
export interface SecurityKeyOptions {
  /**
   * How long it can be used, at most as long as its session. Milliseconds, or a string such as `"10m"`. Default `"1h"`.
   */
  readonly expiresIn?: Duration | undefined;
  /** What `validate` returns for it: any value that a session can store. Default `true`. */
  readonly payload?: unknown;
}

/** What security keys need from their session. */
export interface KeyedSession extends OwnRecord {
  /**
   * A crypto key for this use, derived from the session's token; undefined where there is no token yet, or it is not
   * known here.
   */
  keyFor(use: string): string | undefined;
  /**
   * A security key goes into the response: no shared cache may keep that, and a session of which nothing is stored yet
   * is created with it. Throws `SESSION_HEADERS_SENT`, `SESSION_INSECURE` or `SESSION_ENDED` where that is not possible
   * any more.
   */
  keyShown(): void;
}

/** How many one-time keys a session has at most; beyond that, a new one replaces the oldest. */
const MAX_KEYS = 100;
const STATIC_KEY = "security key";

/**
 * Keys that prove that a request was made from a page of this very session, and not from another site. (OWASP CSRF
 * Prevention Cheat Sheet, "Synchronizer Token Pattern" and "HMAC Based Token Pattern")
 */
export class SecurityKeys {
  readonly #session: KeyedSession;
  readonly #now: () => number;

  /** `now` is the clock: milliseconds since the epoch. */
  constructor(session: KeyedSession, now: () => number) {
    this.#session = session;
    this.#now = now;
  }

  /**
   * Makes a key that is good for one `validate` in this session. A session has at most a hundred; beyond that, a new
   * one replaces the oldest. The store has only its SHA-256. A session of which nothing is stored yet is created with
   * it.
   *
   * Rejects with `SESSION_VALUE` for a payload that can't be stored, and with a RangeError for a wrong `expiresIn`.
   */
  create(options: SecurityKeyOptions = {}): Promise<string> {
    return this.#session.given(this.#create(options));
  }

  /**
   * Uses up a one-time key, and resolves to its payload (`true` where it was made without one), or to undefined where
   * the key is another session's, was used, has expired, or is no key at all. A payload may be falsy: compare with
   * undefined. Of any number of calls at once, on any number of machines, only one gets the payload. What can't be a
   * key costs no store call.
   */
  validate(key: unknown): Promise<unknown> {
    return this.#session.given(this.#validate(key));
  }

  /**
   * The key of the whole session, for scripts that send it in a header. It is derived from the token, so it is stored
   * nowhere, costs no write, and changes with each login, logout and reset. A session of which nothing is stored yet is
   * created with the response. For pages, `maskedKey()` is better. Throws `SESSION_CLIENTLESS` where the session has no
   * cookie.
   */
  get staticKey(): string {
    this.#session.keyShown();
    const key = this.#session.keyFor(STATIC_KEY);
    if (key !== undefined) return key;
    throw new SessionError(
      "SESSION_CLIENTLESS",
      "A clientless session has no cookie, and so no static key, which is derived from the cookie's token; make a one-time key with securityKeys.create().",
    );
  }

  /** The static key in a form that changes each time, for pages that are compressed (BREACH). */
  maskedKey(): string {
    return maskedKey(this.staticKey);
  }

  /**
   * Whether this is the static key, plain or masked; false for anything else. Compares in constant time, without a
   * store call.
   */
  isStaticKey(key: unknown): boolean {
    const given = unmaskedKey(key);
    const expected = given === undefined ? undefined : this.#session.keyFor(STATIC_KEY);
    return given !== undefined && expected !== undefined && timingSafeEqual(given, Buffer.from(expected, "base64url"));
  }

  /** What logs show: no key. */
  [inspect.custom](): string {
    return "SecurityKeys {}";
  }

  async #create(options: SecurityKeyOptions): Promise<string> {
    const { lifeMs, payload } = readOptions(options);
    const createdAt = this.#now();
    const key = newToken();
    const entry = { payload, createdAt, expiresAt: createdAt + lifeMs };
    await this.#session.change(({ keys }) => ({ keys: withOneMore(keys, hashOf(key), entry) }));
    this.#session.keyShown();
    return key;
  }

  async #validate(key: unknown): Promise<unknown> {
    if (typeof key !== "string" || !isToken(key) || this.#session.record === undefined) return undefined;
    const name = hashOf(key);
    let used = undefined as SecurityKeyRecord | undefined;
    // Removed before it is looked at, so that nothing can come between.
    await this.#session.change(({ keys }) => {
      used = keys[name];
      return used === undefined ? undefined : { keys: { remove: [name] } };
    });
    if (used === undefined || isExpired(used, this.#now())) return undefined;
    return decodedValue("payload", used.payload);
  }
}

const OPTIONS = ["expiresIn", "payload"];

/**
 * Checks the options: `SESSION_ARGUMENT`, a RangeError for `expiresIn`, `SESSION_VALUE` for a payload that can't be
 * stored.
 */
function readOptions(given: unknown): { readonly lifeMs: number; readonly payload: Encoded } {
  const notAnObject = 'securityKeys.create takes options such as { expiresIn: "10m" }.';
  assertCallOptions(given, OPTIONS, "securityKeys.create", notAnObject);
  const { expiresIn = "1h", payload = true } = given;
  return { lifeMs: expiresInMs(expiresIn), payload: encodeValue("payload", payload) };
}

type Keys = Readonly<Record<string, SecurityKeyRecord>>;

/** Adds a key, and removes those that have expired by then and, beyond the limit, the oldest. */
function withOneMore(keys: Keys, name: string, entry: SecurityKeyRecord): MapDelta<SecurityKeyRecord> {
  const remove: string[] = [];
  const live: (readonly [string, SecurityKeyRecord])[] = [];
  for (const one of Object.entries(keys)) {
    if (isExpired(one[1], entry.createdAt)) remove.push(one[0]);
    else live.push(one);
  }
  live.sort(([, a], [, b]) => a.createdAt - b.createdAt);
  for (const [oldest] of live.slice(0, Math.max(0, live.length - MAX_KEYS + 1))) remove.push(oldest);
  return { set: Object.assign(dictionary<SecurityKeyRecord>(), { [name]: entry }), remove };
}

/** What the store has of a key, which is as hard to guess as a token, so that a plain hash is enough. */
function hashOf(key: string): string {
  return hash("sha256", key, "base64url");
}
