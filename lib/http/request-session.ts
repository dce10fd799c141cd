import type { IncomingMessage, ServerResponse } from "node:http";
import { SessionError } from "../errors";
import type { ForgottenFailure } from "../forgettable";
import { sessionIdOf } from "../record/token";
import type { SessionRecord } from "../record/session-record";
import type { SessionHolder } from "../session/current-session";
import type { Session } from "../session/session";
import { adoptSession } from "./adoption";
import { bindListeners } from "./bind-listeners";
import { BrowserSession } from "./browser-session";
import { Exchange, hasBody, REQUEST_SESSION } from "./exchange";
import type { RequestWithSession } from "./exchange";
import type { ExpressSessionStore } from "./express-session-store/express-session-store";
import type { ResponseGate } from "./hold/hold-response";
import type { HttpSettings } from "./http-settings";
import { loadFirst, opens, touchIfDue } from "./record-loading";

const NONE: readonly string[] = [];

/** The session of one request: loaded by the cookie, shown as `req.session`, and settled before the response goes. */
export class RequestSession implements ResponseGate, SessionHolder {
  readonly #exchange: Exchange;
  #record: SessionRecord | undefined;
  /** The tokens that the request carries, in the order of its header. */
  #tokens = NONE;
  /** Undefined until the session is read. */
  #session: BrowserSession | undefined;
  /** The end that `req.session = null` asked for; the response waits for it, and fails with it. */
  #ending: Promise<void> | undefined;
  #isNull = false;
  /** Those of other `Sessions` on this request. */
  #others: RequestSession | undefined;
  /** How long the path is that the middleware is mounted on: the longer, the more specific. */
  readonly #mountedOn: number;
  /** Whether `req.session` is ours. */
  isShown = false;
  declare actingFor?: string;

  constructor(settings: HttpSettings, req: IncomingMessage, res: ServerResponse, earlier?: RequestSession) {
    this.#exchange = new Exchange(settings, req, res);
    this.#others = earlier;
    this.#mountedOn = (req as { baseUrl?: string }).baseUrl?.length ?? 0;
  }

  /** Whether the middleware of these settings has been here before. */
  belongsTo(settings: HttpSettings): boolean {
    return this.#exchange.settings === settings || this.#others?.belongsTo(settings) === true;
  }

  /** Which one is `req.session` from now on: that on the longer path, or the later of two on the same path. */
  holder(): RequestSession {
    const other = this.#others;
    if (other === undefined || other.#mountedOn <= this.#mountedOn) return this;
    this.#others = other.#others;
    other.#others = this;
    return other;
  }

  /** The ids of the tokens, where none of them opened a session of these settings. */
  deadIds(settings: HttpSettings): readonly string[] {
    if (this.#exchange.settings !== settings) return this.#others?.deadIds(settings) ?? NONE;
    return this.#record === undefined ? this.#tokens.map(sessionIdOf) : NONE;
  }

  /** The live record that this request has in the middleware of these settings. */
  recordFor(settings: HttpSettings): SessionRecord | undefined {
    if (this.#exchange.settings !== settings) return this.#others?.recordFor(settings);
    return this.#session === undefined ? this.#record : this.#session.record;
  }

  /** Loads the session that the cookie names. A promise only where the store returns one. */
  load(): Promise<void> | undefined {
    const { settings, req, cookie, isInsecure } = this.#exchange;
    if (isInsecure) return undefined;
    this.#tokens = settings.cookie.tokens(req, cookie);
    if (this.#tokens.length === 0) return this.#adopt();
    const answer = loadFirst(settings, this.#tokens);
    if (answer instanceof Promise) return answer.then((record) => this.#loaded(record));
    return this.#loaded(answer);
  }

  /** What `req.session` gives: the session, or null once the app has set it to null. */
  get session(): Session | null {
    if (this.#isNull) return null;
    return (this.#session ??= new BrowserSession(this.#exchange, this.#tokens, this.#record)).session;
  }

  /** `req.session = null` ends the session; nothing else can be put there. */
  set session(value: unknown) {
    if (value !== null) {
      throw new TypeError("req.session can't be replaced; use req.session.merge(values), or null to end the session.");
    }
    if (this.session === null) return;
    this.#ending = this.#session?.destroy();
    this.#ending?.catch((error: unknown) => this.forgotten({ error, isTaken: () => false }));
    this.#isNull = true;
  }

  /** `delete req.session` ends the session, as null does. */
  endIfDeleted(): void {
    const { req } = this.#exchange;
    if (!this.isShown || this.#isNull || Object.hasOwn(req, "session")) return;
    if (req[REQUEST_SESSION] === this) this.session = null;
  }

  /** What `req.sessionStore` gives. */
  get sessionStore(): ExpressSessionStore {
    return this.#exchange.settings.sessionStore();
  }

  // SessionHolder

  forgotten(failure: ForgottenFailure): void {
    this.#exchange.forgotten(failure);
  }

  bindListeners(): void {
    const { req } = this.#exchange;
    if (hasBody(req)) bindListeners(req, this);
  }

  // ResponseGate

  beforeHeaders(): Promise<void> | undefined {
    this.#countBytes();
    this.endIfDeleted();
    if (this.#session === undefined && !this.#exchange.hasForgotten) return undefined;
    if (this.#exchange.handshake === undefined) return this.#settle();
    void this.#settleUnawaited();
    return undefined;
  }

  setHeaders(): void {
    this.#session?.setHeaders();
  }

  /** A cookie that was given, or taken back, before something else failed still goes to the browser. */
  setHeadersOfFailure(error: unknown): void {
    this.#exchange.told = error;
    if (error instanceof SessionError && error.code === "SESSION_ENDED") this.#session?.forgetNews();
    this.setHeaders();
  }

  beforeEnd(): Promise<void> | undefined {
    this.#countBytes();
    this.endIfDeleted();
    return this.#settle();
  }

  onLost(error: unknown): void {
    this.#exchange.told = error;
    this.#exchange.settings.onError(error);
  }

  #loaded(record: SessionRecord | undefined): Promise<void> | undefined {
    if (!opens(this.#exchange.settings, record)) return this.#adopt();
    this.#record = record;
    touchIfDue(this.#exchange, record);
    return undefined;
  }

  /** Takes over another library's session, where the app says that the request carries one. */
  #adopt(): Promise<void> | undefined {
    const { adoption: settings } = this.#exchange.settings;
    if (settings === undefined || this.#exchange.areHeadersGone) return undefined;
    return adoptSession(this.#exchange, settings).then((adoption) => {
      if (adoption === undefined) return;
      const { token, record, remember } = adoption;
      // Where ours is not live, the request is one that carries the cookie of an ended session.
      this.#tokens = [...this.#tokens, token];
      this.#record = record;
      if (record === undefined) return;
      this.#session = new BrowserSession(this.#exchange, this.#tokens, record);
      this.#session.give(record, token, remember);
      touchIfDue(this.#exchange, record);
    });
  }

  #countBytes(): void {
    const { settings, req } = this.#exchange;
    const record = this.#session === undefined ? this.#record : this.#session.record;
    settings.traffic.count(this.#exchange, req.socket, record?.id);
  }

  /**
   * Stores what changed. A failure that the app was told of, and that comes again, doesn't keep its error page back.
   */
  #settle(): Promise<void> | undefined {
    const isErrorPage = this.#exchange.res.statusCode >= 400;
    const forgotten = this.#exchange.firstForgotten();
    const saving = this.#save(isErrorPage);
    return forgotten === undefined || isErrorPage ? saving : failAfter(saving, forgotten.error);
  }

  #save(isErrorPage: boolean): Promise<void> | undefined {
    const session = this.#session;
    if (session === undefined || this.#ending !== undefined) return this.#ending;
    return isErrorPage && session.failure !== undefined ? settleAgain(session) : session.settle();
  }

  /** A websocket's handshake waits for no save. A new session's cookie would come too late for it anyway. */
  async #settleUnawaited(): Promise<void> {
    try {
      await null; // The headers go in this turn of the event loop.
      await this.#settle();
    } catch (error) {
      this.#exchange.settings.onError(error);
    }
  }
}

/** The live record that a request has of the sessions of these settings; undefined where it has none that is stored. */
export function recordOf(req: RequestWithSession, settings: HttpSettings): SessionRecord | undefined {
  return req[REQUEST_SESSION]?.recordFor(settings);
}

/** Whether the middleware of these settings has handled the request. */
export function isHandled(req: RequestWithSession, settings: HttpSettings): boolean {
  return req[REQUEST_SESSION]?.belongsTo(settings) === true;
}

/** The ids of the tokens that a request carries, where none of them opened a session of these settings. */
export function deadIdsOf(req: RequestWithSession, settings: HttpSettings | undefined): readonly string[] {
  return (settings === undefined ? undefined : req[REQUEST_SESSION]?.deadIds(settings)) ?? [];
}

/** Fails with this error once the save is done. */
async function failAfter(saving: Promise<void> | undefined, error: unknown): Promise<never> {
  await saving;
  throw error;
}

async function settleAgain(session: BrowserSession): Promise<void> {
  const told = session.failure;
  try {
    await session.settle();
  } catch (error) {
    if (!(error instanceof SessionError && told instanceof SessionError && error.code === told.code)) throw error;
  }
}
