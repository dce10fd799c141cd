import type { ServerResponse } from "node:http";
import { SessionError } from "../errors";
import { forgettable } from "../forgettable";
import { derivedKey } from "../record/crypto/secret-keys";
import { sessionIdOf } from "../record/token";
import { GUEST_USER } from "../record/session-record";
import type { SessionRecord } from "../record/session-record";
import { sessionEnded, wasReplaced } from "../session/life/session-ended";
import type { Along, SessionOrigin } from "../session/life/session-policy";
import { StoredSession } from "../session/life/stored-session";
import { passportUser } from "../session/session-owner";
import type { UserOf } from "../session/session-owner";
import { assertPrivate, keepPrivate, varyByCookie } from "./cookie/cache-headers";
import { MAX_COOKIE_AGE_MS } from "./cookie/session-cookie";
import type { Exchange } from "./exchange";
import { headersGone } from "./hold/hold-response";

const NOT_KEPT =
  "A Secure cookie was set on plain HTTP, where browsers keep it on localhost only. Open the app over HTTPS or as http://localhost; behind a proxy that terminates HTTPS, set app.set('trust proxy', 1).";

/**
 * What the response has to tell the browser about its cookie. `endsAt` in milliseconds since the epoch; null where the
 * cookie goes with the browser.
 */
type CookieNews = { readonly token: string; readonly endsAt: number | null } | "remove";

/** A session whose token is in a browser's cookie: it knows the token, and what the response has to tell of it. */
export class BrowserSession extends StoredSession {
  readonly #exchange: Exchange;
  /** The tokens that the request carries, in the order of its header. */
  readonly #tokens: readonly string[];
  /** Whether one of the tokens opened a session. */
  readonly #isOpened: boolean;
  /** The token of the session that was created last in this request. */
  #givenToken: string | undefined;
  #news: CookieNews | undefined;
  #showsKey = false;
  /** The request carries the token of a replaced session: what it wrote is not saved, and it doesn't fail for that. */
  #isLeftUnsaved = false;
  /** Whether a check is due that what was changed after the response is saved. */
  #isLate = false;

  constructor(exchange: Exchange, tokens: readonly string[], record: SessionRecord | undefined) {
    super(exchange.settings, record);
    this.#exchange = exchange;
    this.#tokens = tokens;
    this.#isOpened = record !== undefined;
  }

  /** Sets the cookie, where it has changed, and the headers that keep caches from sharing the response. */
  setHeaders(): void {
    const news = this.#news;
    if (this.#exchange.handshake?.takesHeaders === false) return;
    this.#news = undefined;
    if (news === undefined) setHeadersOfReading(this.#exchange, this.#showsKey);
    else setHeadersOfNews(this.#exchange, news, this.#tokens.length > 1);
  }

  /** The browser is given the token of this session, which was stored before this request's handler. */
  give(record: SessionRecord, token: string, remember = this.#isRemembered(record)): void {
    this.moved(record, token, remember);
  }

  /** The session has ended: the browser is told nothing of its cookie. */
  forgetNews(): void {
    this.#news = undefined;
  }

  override given<T>(promise: Promise<T>): Promise<T> {
    return forgettable(promise, (failure) => this.#exchange.forgotten(failure));
  }

  override assertWritable(): void {
    if (this.over !== undefined) return;
    const { handshake, res } = this.#exchange;
    // A websocket outlives its response: what is assigned there is kept, and `save` fails where it can't be stored.
    if (handshake !== undefined) return;
    // After the response nothing is thrown: nobody catches it in a timer, or in a handler of a socket.
    if (res.writableEnded) this.#changedLate();
    else if (this.record === undefined) this.#exchange.assertHeadersOpen();
  }

  override keyFor(use: string): string | undefined {
    const { knownId } = this;
    if (knownId === undefined) return undefined;
    const { settings, req, cookie } = this.#exchange;
    const carried = settings.cookie.tokens(req, cookie);
    const token = [this.newToken, this.#givenToken, ...carried].find(
      (one) => one !== undefined && sessionIdOf(one) === knownId,
    );
    return token === undefined ? undefined : derivedKey(token, use).toString("base64url");
  }

  override keyShown(): void {
    const { res } = this.#exchange;
    // A key shown before the first byte has kept the response private already.
    if (!this.#showsKey && headersGone(res) && !res.writableEnded) assertPrivate(res);
    this.#showsKey = true;
    super.keyShown();
  }

  protected override onClientGone(callback: () => void): void {
    const { handshake, req, res } = this.#exchange;
    if (handshake !== undefined) req.socket.once("close", callback);
    else if (res.closed) callback();
    else res.once("close", callback);
  }

  protected override origin(): SessionOrigin {
    return this.#exchange.origin();
  }

  protected override get userOf(): UserOf | undefined {
    return this.policy.userOf ?? (this.#exchange.usesPassport ? passportUser : undefined);
  }

  override assertMayStart(): void {
    this.#exchange.assertHeadersOpen();
    if (!this.#exchange.isInsecure) return;
    throw new SessionError(
      "SESSION_INSECURE",
      "In production no session starts on plain HTTP. Behind a proxy that terminates HTTPS, set app.set('trust proxy', 1); without HTTPS, set cookie.secure to false.",
    );
  }

  override mayCreate(owner: string): boolean | Promise<boolean> {
    if (this.#exchange.isInsecure) {
      this.#exchange.settings.onInsecure();
      return false;
    }
    // Signing in proves who the user is, so a login beside a replaced session is no danger.
    return this.#isOpened || this.#tokens.length === 0 || owner !== GUEST_USER || this.#mayStartBeside();
  }

  override assertHeadersOpen(): void {
    this.#exchange.assertHeadersOpen();
  }

  override takeAlong(record: SessionRecord): Along {
    const { settings, req } = this.#exchange;
    settings.traffic.count(this.#exchange, req.socket, this.record?.id);
    return this.#exchange.takeAlong(record);
  }

  protected override forgottenAt(record: SessionRecord): number | null {
    return this.#forgottenAt(record, this.#isRemembered(record));
  }

  protected override moved(record: SessionRecord | undefined, token: string | undefined, remember: boolean): void {
    if (record === undefined) {
      this.#news = this.#isOpened ? "remove" : undefined;
    } else if (token !== undefined) {
      this.#givenToken = token;
      this.#news = { token, endsAt: this.#forgottenAt(record, remember) };
    }
    if (this.#exchange.handshake !== undefined && !this.#exchange.areHeadersGone) this.setHeaders();
  }

  #isRemembered({ idleMs, createdAt, endsAt }: SessionRecord): boolean {
    const { rememberMs } = this.policy;
    return idleMs === rememberMs && endsAt === createdAt + rememberMs;
  }

  #forgottenAt(record: SessionRecord, remember: boolean): number | null {
    const isPersistent = remember || this.#exchange.settings.cookie.settings.persistent;
    return isPersistent ? Math.min(record.endsAt, record.createdAt + MAX_COOKIE_AGE_MS) : null;
  }

  /**
   * A request that was under way while its session was replaced must not start another. A request for a page, GET or
   * HEAD, is served all the same; that nothing was saved is emitted as `error`.
   */
  async #mayStartBeside(): Promise<boolean> {
    if (this.#isLeftUnsaved) return false;
    const replaced = await Promise.all(this.#tokens.map((token) => wasReplaced(this.policy, sessionIdOf(token))));
    if (!replaced.includes(true)) return true;
    const error = sessionEnded("replaced");
    const { method } = this.#exchange.req;
    if (method !== "GET" && method !== "HEAD") throw error;
    this.#isLeftUnsaved = true;
    this.#exchange.settings.onError(error);
    return false;
  }

  /**
   * Nothing saves by itself what is changed after the response. Where the app has not saved it by the end of this turn
   * of the event loop, the change is reported.
   */
  #changedLate(): void {
    if (this.#isLate) return;
    this.#isLate = true;
    const error = new SessionError(
      "SESSION_LATE",
      "The session was changed after its response had ended, so nothing saved it; change it before, or call save() after the change.",
    );
    const { turnsTaken } = this;
    setImmediate(() => {
      this.#isLate = false;
      if (this.turnsTaken === turnsTaken && this.#isChanged()) this.#exchange.settings.onLate(error);
    });
  }

  #isChanged(): boolean {
    try {
      return this.changed;
    } catch {
      // What can't be stored is a change, too.
      return true;
    }
  }
}

/** Sets the headers of a response whose session was read. `showsKey`: a security key is on the page. */
function setHeadersOfReading({ res }: Exchange, showsKey: boolean): void {
  varyByCookie(res);
  // The page is another one after the next login, but the browser may go back to it.
  if (showsKey) keepPrivate(res, "private, no-cache");
}

/**
 * Sets the headers of a response that gives the cookie, or takes it back. `isOneOfSeveral`: the request carried
 * several.
 */
function setHeadersOfNews(exchange: Exchange, news: CookieNews, isOneOfSeveral: boolean): void {
  const { req, res, cookie: onRequest, settings } = exchange;
  const { cookie, now, warnOnce } = settings;
  varyByCookie(res);
  const header =
    news === "remove" ? cookie.removalHeader(onRequest) : cookie.header(onRequest, news.token, news.endsAt, now());
  // Before ours, so that it stays where a browser takes the two for one.
  if (isOneOfSeveral) for (const each of cookie.leftoverHeaders(onRequest, req)) appendSetCookie(res, each);
  appendSetCookie(res, header);
  if (!cookie.isKept(onRequest, req)) warnOnce(NOT_KEPT);
  keepPrivate(res, "no-store");
}

function appendSetCookie(res: ServerResponse, header: string): void {
  const before = res.getHeader("Set-Cookie");
  if (before === undefined) res.setHeader("Set-Cookie", header);
  else res.setHeader("Set-Cookie", [...(Array.isArray(before) ? before : [String(before)]), header]);
}
