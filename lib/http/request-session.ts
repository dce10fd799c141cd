import type { IncomingMessage, ServerResponse } from "node:http";
import { SessionError, isUnreadable } from "../errors";
import { toldLater } from "../forgettable";
import type { ForgottenFailure } from "../forgettable";
import { derivedKey } from "../record/crypto/secret-keys";
import {
  BYTES_SENT,
  CLIENTLESS_SCOPE,
  GUEST_USER,
  isEnded,
  NewerFormatError,
  RECENT_BYTES,
} from "../record/session-record";
import type { SessionRecord } from "../record/session-record";
import { isExpired, touchAt } from "../record/expiry";
import { withCounters } from "../record/session-delta";
import { newToken, sessionIdOf } from "../record/token";
import type { SessionHolder } from "../session/current-session";
import { REPLACED_GRACE_MS, wasReplaced } from "../session/life/ending-for";
import type { Session } from "../session/session";
import type { SessionOrigin, SessionPlace } from "../session/life/session-policy";
import { StoredSession } from "../session/life/stored-session";
import { bindListeners, hasBody } from "./bind-listeners";
import { assertPrivate, keepPrivate, varyByCookie } from "./cookie/cache-headers";
import { firstOpening } from "./first-opening";
import { Handshake, isHandshake } from "./handshake";
import type { ExpressSessionStore } from "./express-session-store/express-session-store";
import { headersGone } from "./hold/hold-response";
import type { ResponseGate } from "./hold/hold-response";
import type { HttpSettings } from "./http-settings";
import { REQUEST_SESSION } from "./request-slot";
import type { RequestWithSession } from "./request-slot";
import { MAX_COOKIE_AGE_MS } from "./cookie/session-cookie";
import type { CookieOnRequest } from "./cookie/session-cookie";

const MAX_ADDRESS_LENGTH = 64;
const MAX_USER_AGENT_LENGTH = 512;
const MAX_SCOPE_LENGTH = 64;
const NO_IDS: readonly string[] = [];
const NOT_KEPT =
  "A Secure cookie was set on plain HTTP, where browsers keep it on localhost only. Open the app by HTTPS or as http://localhost; behind a proxy that ends HTTPS, set app.set('trust proxy', 1).";

/** What the response has to tell the browser about its cookie. */
type CookieNews = { readonly token: string; readonly endsAt: number | null } | "remove" | undefined;

/** What passport leaves on a request on which it is at work: from 0.5.1 on the second, with its `compat` both. */
interface RequestWithPassport extends IncomingMessage {
  readonly _passport?: unknown;
  readonly _sessionManager?: unknown;
}

/** The session of one request: loads it by the cookie, and settles it before the response goes. */
export class RequestSession implements SessionPlace, ResponseGate, SessionHolder {
  readonly #settings: HttpSettings;
  readonly #req: RequestWithSession;
  readonly #res: ServerResponse;
  readonly #cookie: CookieOnRequest;
  /** Undefined for what is no websocket. */
  readonly #handshake: Handshake | undefined;
  #record: SessionRecord | undefined;
  /** The ids of the tokens that the request carries, in its order; and whether one of them opened a session. */
  #ids: readonly string[] = NO_IDS;
  #isOpened = false;
  /** The token of a session that is about to be created, until it is. */
  #newToken: string | undefined;
  /** The token of the session that was created last in this request. */
  #givenToken: string | undefined;
  #news: CookieNews;
  #stored: StoredSession | undefined;
  #session: Session | null | undefined;
  /** What the app has not awaited and has failed; the response fails with it, or it is emitted when there is none any more. */
  #forgotten: ForgottenFailure[] | undefined;
  /** What the response has failed with. */
  #told: unknown;
  /** What was written belongs to a session that was replaced; it is neither saved nor a reason to fail. */
  #isLeftUnsaved = false;
  /** Whether it will be looked at if what was changed after the response was saved. */
  #isLate = false;
  /** The end that `req.session = null` asked for; the response waits for it, and fails with it. */
  #ending: Promise<void> | undefined;
  #wasRead = false;
  #showsKey = false;
  /** What the client has sent with this request so far; and of that, what no session was there for. */
  #bytes = 0;
  #bytesOfNobody = 0;
  /** How many bytes this request has last written as a session's most recent ones, and whose. */
  #writtenRecent = 0;
  #writtenId: string | undefined;
  /** Those of other `Sessions` on this request. */
  #others: RequestSession | undefined;
  /** How long the path is that the middleware is mounted on: the longer, the more specific. */
  readonly #mountedOn: number;
  /** Whether `req.session` is ours. */
  isShown = false;
  declare actingFor?: string;

  constructor(settings: HttpSettings, req: IncomingMessage, res: ServerResponse, earlier?: RequestSession) {
    this.#settings = settings;
    this.#others = earlier;
    this.#mountedOn = (req as { baseUrl?: string }).baseUrl?.length ?? 0;
    this.#req = req;
    this.#res = res;
    this.#cookie = settings.cookie.onRequest(req);
    this.#handshake = isHandshake(req, res) ? new Handshake(req, res) : undefined;
  }

  /** Whether the middleware of these settings has been here before. */
  belongsTo(settings: HttpSettings): boolean {
    return this.#settings === settings || this.#others?.belongsTo(settings) === true;
  }

  /** Which one holds `req.session` from now on: the more specific, or the later of two that are mounted on the same path. */
  holder(): RequestSession {
    const other = this.#others;
    if (other === undefined || other.#mountedOn <= this.#mountedOn) return this;
    this.#others = other.#others;
    other.#others = this;
    return other;
  }

  /** The ids of the tokens that opened nothing in the middleware of these settings. */
  deadIds(settings: HttpSettings): readonly string[] | undefined {
    if (this.#settings === settings) return this.#isOpened ? NO_IDS : this.#ids;
    return this.#others?.deadIds(settings);
  }

  /** Loads what the cookie names. A promise only where the store answers with one. */
  load(): Promise<void> | undefined {
    if (this.#isInsecure()) return undefined;
    const ids = this.#settings.cookie.tokens(this.#req, this.#cookie).map(sessionIdOf);
    const [id] = ids;
    if (id === undefined) return undefined;
    this.#ids = ids;
    const answer = ids.length === 1 ? this.#readable(id) : this.#firstOpening(ids);
    if (answer instanceof Promise) return answer.then((record) => this.#loaded(record));
    this.#loaded(answer);
    return undefined;
  }

  /** What `req.session` gives: the session, or null once the app has set it to null. */
  get session(): Session | null {
    this.#wasRead = true;
    if (this.#session !== undefined) return this.#session;
    this.#stored = new StoredSession(this.#settings, this, this.#record);
    return (this.#session = this.#stored.session);
  }

  /** `req.session = null` ends the session; nothing else can be put there. */
  set session(value: unknown) {
    if (value !== null) {
      throw new TypeError("req.session can't be replaced; use req.session.merge(values), or null to end the session.");
    }
    if (this.session === null) return;
    this.#ending = this.#stored?.destroy();
    this.#ending?.catch((error: unknown) => this.forgotten({ error, isTaken: () => false }));
    this.#session = null;
  }

  /** `delete req.session` ends the session, as null does. */
  endIfDeleted(): void {
    if (!this.isShown || this.#session === null || Object.hasOwn(this.#req, "session")) return;
    if (this.#req[REQUEST_SESSION] === this) this.session = null;
  }

  /** What `req.sessionStore` gives. */
  get sessionStore(): ExpressSessionStore {
    return this.#settings.sessionStore();
  }

  bindListeners(): void {
    if (hasBody(this.#req)) bindListeners(this.#req, this);
  }

  // ResponseGate

  beforeHeaders(): Promise<void> | undefined {
    this.#countBytes();
    this.endIfDeleted();
    if (!this.#wasRead && this.#forgotten === undefined) return undefined;
    if (this.#handshake === undefined) return this.#settle();
    void this.#settleUnawaited();
    return undefined;
  }

  /** Sets the cookie, and what follows from it and from reading it. */
  setHeaders(): void {
    if (!this.#wasRead || this.#handshake?.takesHeaders === false) return;
    const { cookie, now, warnOnce } = this.#settings;
    varyByCookie(this.#res);
    const news = this.#news;
    if (news === undefined) {
      // The page is another one after the next login, but the browser may go back to it.
      if (this.#showsKey) keepPrivate(this.#res, "private, no-cache");
      return;
    }
    this.#news = undefined;
    const header =
      news === "remove"
        ? cookie.removalHeader(this.#cookie)
        : cookie.header(this.#cookie, news.token, news.endsAt, now());
    // Before ours, so that it stays where a browser takes the two for one.
    if (this.#ids.length > 1)
      for (const each of cookie.leftoverHeaders(this.#cookie, this.#req)) appendSetCookie(this.#res, each);
    appendSetCookie(this.#res, header);
    if (!cookie.isKept(this.#cookie, this.#req)) warnOnce(NOT_KEPT);
    keepPrivate(this.#res, "no-store");
  }

  /** A session that was created, or taken back, before something else failed is still told to the browser. */
  setHeadersOfFailure(error: unknown): void {
    this.#told = error;
    if (error instanceof SessionError && error.code === "SESSION_ENDED") this.#news = undefined;
    this.setHeaders();
  }

  beforeEnd(): Promise<void> | undefined {
    this.#countBytes();
    this.endIfDeleted();
    return this.#settle();
  }

  onLost(error: unknown): void {
    this.#told = error;
    this.#settings.onError(error);
  }

  // SessionPlace

  newId(): string {
    this.#newToken = newToken();
    return sessionIdOf(this.#newToken);
  }

  origin(): SessionOrigin {
    const { ip } = this.#req as { ip?: string };
    return {
      remoteAddress: (ip ?? this.#req.socket.remoteAddress ?? "").slice(0, MAX_ADDRESS_LENGTH),
      userAgent: (this.#req.headers["user-agent"] ?? "").slice(0, MAX_USER_AGENT_LENGTH),
      scope: this.#settings.scopeOf(this.#req).slice(0, MAX_SCOPE_LENGTH),
    };
  }

  forgottenAt(record: SessionRecord): number | null {
    const { rememberMs } = this.#settings;
    return this.#forgottenAt(record, record.idleMs === rememberMs && record.endsAt === record.createdAt + rememberMs);
  }

  assertHeadersOpen(): void {
    if (!this.#areHeadersGone()) return;
    throw new SessionError(
      "SESSION_HEADERS_SENT",
      this.#handshake === undefined
        ? "The session needs a new cookie, but the response's headers are on their way already; change the session before the first byte."
        : "The session needs a new cookie, which a websocket can't be given; start it in a request before. destroy() ends a session without one.",
    );
  }

  changing(isStored: boolean): void {
    // A websocket outlives its response: what is assigned there is kept, and it is `save` that fails where it can't be stored.
    if (this.#handshake !== undefined) return;
    // Nobody catches what is thrown in a timer, or in a handler of a socket.
    if (this.#res.writableEnded) this.#changedLate();
    else if (!isStored) this.assertHeadersOpen();
  }

  forgotten(failure: ForgottenFailure): void {
    if (this.#handshake !== undefined || this.#res.closed) {
      toldLater(this.#settings.onError)(failure);
      return;
    }
    if (this.#forgotten === undefined) {
      this.#forgotten = [];
      this.#res.once("close", () => this.#tellForgotten());
    }
    this.#forgotten.push(failure);
  }

  assertMayStart(): void {
    this.assertHeadersOpen();
    if (!this.#isInsecure()) return;
    throw new SessionError(
      "SESSION_INSECURE",
      "In production no session starts on plain HTTP. Behind a proxy that ends HTTPS, set app.set('trust proxy', 1); without HTTPS, set cookie.secure to false.",
    );
  }

  get usesPassport(): boolean {
    const { _passport, _sessionManager } = this.#req as RequestWithPassport;
    return _passport !== undefined || _sessionManager !== undefined;
  }

  mayCreate(owner: string): boolean | Promise<boolean> {
    if (this.#isInsecure()) {
      this.#settings.onInsecure();
      return false;
    }
    // Who signs in proves by that who they are, and is not signed out by the cookie.
    return this.#isOpened || this.#ids.length === 0 || owner !== GUEST_USER || this.#mayStartBeside(this.#ids);
  }

  async wasReplaced(id: string): Promise<boolean> {
    const { find, now } = this.#settings;
    for await (const record of find({ state: "ended", id })) {
      if (isEnded(record) && wasReplaced(record.reason) && now() - record.endedAt <= REPLACED_GRACE_MS) return true;
    }
    return false;
  }

  keyFor(id: string, use: string): string | undefined {
    const carried = this.#settings.cookie.tokens(this.#req, this.#cookie);
    const token = [this.#newToken, this.#givenToken, ...carried].find(
      (one) => one !== undefined && sessionIdOf(one) === id,
    );
    return token === undefined ? undefined : derivedKey(token, use).toString("base64url");
  }

  keyShown(): void {
    // What was shown before the first byte has kept the response private already.
    if (!this.#showsKey && headersGone(this.#res) && !this.#res.writableEnded) assertPrivate(this.#res);
    this.#showsKey = true;
  }

  moved(record: SessionRecord | undefined, remember: boolean): void {
    if (record === undefined) {
      this.#news = this.#record === undefined ? undefined : "remove";
    } else if (this.#newToken !== undefined) {
      this.#givenToken = this.#newToken;
      this.#news = { token: this.#newToken, endsAt: this.#forgottenAt(record, remember) };
    }
    this.#newToken = undefined;
    if (this.#handshake !== undefined && !this.#areHeadersGone()) this.setHeaders();
  }

  takeCounters({ id, counters }: SessionRecord): Readonly<Record<string, number>> | undefined {
    this.#countBytes();
    const bytes = this.#settings.traffic.take(id) + this.#bytesOfNobody;
    this.#bytesOfNobody = 0;
    if (bytes === 0) return undefined;
    const known = this.#writtenId === id ? this.#writtenRecent : (counters[RECENT_BYTES] ?? 0);
    this.#writtenId = id;
    this.#writtenRecent = this.#bytes;
    return { [BYTES_SENT]: bytes, [RECENT_BYTES]: this.#bytes - known };
  }

  install(session: Session): void {
    this.#session = session;
  }

  /** Stores what changed. What fails again, and was told to the app already, lets the app's error page go. */
  #settle(): Promise<void> | undefined {
    const isErrorPage = this.#res.statusCode >= 400;
    const forgotten = this.#forgotten?.find(({ isTaken }) => !isTaken());
    const saving = this.#save(isErrorPage);
    return forgotten === undefined || isErrorPage ? saving : failAfter(saving, forgotten.error);
  }

  #save(isErrorPage: boolean): Promise<void> | undefined {
    const stored = this.#stored;
    if (stored === undefined || this.#ending !== undefined) return this.#ending;
    return isErrorPage && stored.failure !== undefined ? settleAgain(stored) : stored.settle();
  }

  #tellForgotten(): void {
    for (const { error, isTaken } of this.#forgotten ?? []) {
      if (!isTaken() && error !== this.#told) this.#settings.onError(error);
    }
  }

  #areHeadersGone(): boolean {
    return this.#handshake?.takesHeaders === false || headersGone(this.#res);
  }

  /** Nothing saves by itself what is changed after the response: where the app has not done so when this turn is over, it is told. */
  #changedLate(): void {
    if (this.#isLate) return;
    this.#isLate = true;
    const error = new SessionError(
      "SESSION_LATE",
      "The session was changed after its response had ended, so nothing saved it; change it before, or call save() after the change.",
    );
    const { turnsTaken } = this.#stored ?? {};
    setImmediate(() => {
      this.#isLate = false;
      if (this.#stored?.turnsTaken === turnsTaken && this.#isChanged()) this.#settings.onLate(error);
    });
  }

  /** Nothing waits for a save that begins as a websocket's handshake goes. A new session's cookie would come too late by then. */
  async #settleUnawaited(): Promise<void> {
    try {
      await null; // The headers go in this turn.
      await this.#settle();
    } catch (error) {
      this.#settings.onError(error);
    }
  }

  /** The record of one id, where it can be read. */
  #readable(id: string): SessionRecord | undefined | Promise<SessionRecord | undefined> {
    try {
      const answer = this.#settings.writer.load(id);
      return answer instanceof Promise ? answer.catch((error: unknown) => this.#passOver(error)) : answer;
    } catch (error) {
      return this.#passOver(error);
    }
  }

  #firstOpening(ids: readonly string[]): SessionRecord | undefined | Promise<SessionRecord | undefined> {
    return firstOpening(
      ids,
      (each) => this.#readable(each),
      (record) => this.#opens(record),
    );
  }

  /** A record that is damaged opens nothing, or its visitor could not even sign in anew. One of a newer format does elsewhere. */
  #passOver(error: unknown): SessionRecord | undefined {
    if (!isUnreadable(error) || error instanceof NewerFormatError) throw error;
    this.#settings.onError(error);
    return undefined;
  }

  #loaded(record: SessionRecord | undefined): void {
    if (!this.#opens(record)) return;
    this.#isOpened = true;
    this.#record = record;
    this.#touchIfDue(record);
  }

  #opens(record: SessionRecord | undefined): record is SessionRecord {
    const { now, project } = this.#settings;
    return record?.project === project && record.scope !== CLIENTLESS_SCOPE && !isExpired(record, now());
  }

  /** What has come from the client since it was counted last belongs to this request's session, or to the one that it will start. */
  #countBytes(): void {
    const { traffic } = this.#settings;
    const bytes = traffic.since(this.#req.socket);
    if (bytes === 0) return;
    this.#bytes += bytes;
    const id = this.#stored === undefined ? this.#record?.id : this.#stored.record?.id;
    if (id === undefined) this.#bytesOfNobody += bytes;
    else traffic.add(id, bytes, this.#bytes);
  }

  /** Renews `lastSeenAt` beside the handler; nothing waits for it. (P4) */
  #touchIfDue(record: SessionRecord): void {
    const { now, touchIntervalMs, touching, keepEndedMs, writer, onError } = this.#settings;
    const seenAt = now();
    if (seenAt - record.lastSeenAt < touchIntervalMs || touching.has(record.id)) return;
    touching.add(record.id);
    writer
      .write(record, withCounters(touchAt(record, seenAt, keepEndedMs), this.takeCounters(record)))
      .catch(onError)
      .finally(() => touching.delete(record.id));
  }

  #isChanged(): boolean {
    try {
      return this.#stored?.changed === true;
    } catch {
      // What can't be stored is a change, too.
      return true;
    }
  }

  /**
   * A request that was under way while its session was replaced must not start another. What a page only looks at goes to the client all the same;
   * that it was not saved is told by `error`.
   */
  async #mayStartBeside(ids: readonly string[]): Promise<boolean> {
    if (this.#isLeftUnsaved) return false;
    const replaced = await Promise.all(ids.map((id) => this.wasReplaced(id)));
    if (!replaced.includes(true)) return true;
    const error = new SessionError(
      "SESSION_ENDED",
      "This request carries the cookie of a session that was replaced a moment ago, so nothing was saved; send it again.",
    );
    if (this.#req.method !== "GET" && this.#req.method !== "HEAD") throw error;
    this.#isLeftUnsaved = true;
    this.#settings.onError(error);
    return false;
  }

  #forgottenAt(record: SessionRecord, remember: boolean): number | null {
    const isPersistent = remember || this.#settings.cookie.settings.persistent;
    return isPersistent ? Math.min(record.endsAt, record.createdAt + MAX_COOKIE_AGE_MS) : null;
  }

  #isInsecure(): boolean {
    return !this.#cookie.overHttps && !this.#settings.allowInsecure;
  }
}

/** Fails with this error once the save is done. */
async function failAfter(saving: Promise<void> | undefined, error: unknown): Promise<never> {
  await saving;
  throw error;
}

async function settleAgain(stored: StoredSession): Promise<void> {
  const told = stored.failure;
  try {
    await stored.settle();
  } catch (error) {
    if (!(error instanceof SessionError && told instanceof SessionError && error.code === told.code)) throw error;
  }
}

function appendSetCookie(res: ServerResponse, header: string): void {
  const before = res.getHeader("Set-Cookie");
  if (before === undefined) res.setHeader("Set-Cookie", header);
  else res.setHeader("Set-Cookie", [...(Array.isArray(before) ? before : [String(before)]), header]);
}
