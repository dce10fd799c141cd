import { ServerResponse } from "node:http";
import type { IncomingMessage } from "node:http";
import { SessionError } from "../errors";
import { toldLater } from "../forgettable";
import type { ForgottenFailure } from "../forgettable";
import { clientChange } from "../record/other-client";
import type { Client } from "../record/other-client";
import type { SessionRecord } from "../record/session-record";
import type { Along, SessionOrigin } from "../session/life/session-policy";
import type { CookieOnRequest } from "./cookie/session-cookie";
import { headersGone } from "./hold/hold-response";
import type { HttpSettings } from "./http-settings";
import type { RequestSession } from "./request-session";
import type { RequestBytes } from "./traffic";

/** Under this key a request keeps its session. */
export const REQUEST_SESSION = Symbol("coatcheck.requestSession");

export interface RequestWithSession extends IncomingMessage {
  [REQUEST_SESSION]?: RequestSession;
}

const MAX_ADDRESS_LENGTH = 64;
const MAX_USER_AGENT_LENGTH = 512;
const MAX_SCOPE_LENGTH = 64;

/** What passport leaves on a request on which it is at work: from 0.5.1 on the second, with its `compat` both. */
interface RequestWithPassport extends IncomingMessage {
  readonly _passport?: unknown;
  readonly _sessionManager?: unknown;
}

/** A request and its response, as the session middleware sees them: what they tell, and what they still allow. */
export class Exchange implements RequestBytes {
  readonly settings: HttpSettings;
  readonly req: RequestWithSession;
  readonly res: ServerResponse;
  /** The cookie that this request would be given. */
  readonly cookie: CookieOnRequest;
  /** Undefined where the request becomes no websocket. */
  readonly handshake: Handshake | undefined;
  /** The error that the response has failed with. */
  told: unknown;
  /**
   * Failures that the app has not awaited. The response fails with the first, or they are emitted when it has closed.
   */
  #forgotten: ForgottenFailure[] | undefined;
  bytes = 0;
  bytesOfNobody = 0;
  writtenRecent = 0;
  writtenId: string | undefined;

  constructor(settings: HttpSettings, req: IncomingMessage, res: ServerResponse) {
    this.settings = settings;
    this.req = req;
    this.res = res;
    this.cookie = settings.cookie.onRequest(req);
    this.handshake = isHandshake(req, res) ? new Handshake(req, res) : undefined;
  }

  /** Whether no session may be handed out: in production on plain HTTP. */
  get isInsecure(): boolean {
    return !this.cookie.overHttps && !this.settings.allowInsecure;
  }

  /** Whether passport is at work here. */
  get usesPassport(): boolean {
    const { _passport, _sessionManager } = this.req as RequestWithPassport;
    return _passport !== undefined || _sessionManager !== undefined;
  }

  /** Whether no header can be set any more. */
  get areHeadersGone(): boolean {
    return this.handshake?.takesHeaders === false || headersGone(this.res);
  }

  /** Where a session that starts with this request was created from. */
  origin(): SessionOrigin {
    const scope = this.settings.scopeOf(this.req).slice(0, MAX_SCOPE_LENGTH).toWellFormed();
    return { ...this.#client(), scope };
  }

  /** What goes along with a write of this record that happens anyway. From now on it counts as written. */
  takeAlong(record: SessionRecord): Along {
    const { traffic, now } = this.settings;
    const counters = traffic.take(this, record);
    const pages = clientChange(record, this.#client(), now());
    const along: { -readonly [Name in keyof Along]: Along[Name] } = {};
    if (counters !== undefined) along.counters = counters;
    if (pages !== undefined) along.pages = pages;
    return along;
  }

  #client(): Client {
    const { ip } = this.req as { ip?: string };
    return {
      remoteAddress: (ip ?? this.req.socket.remoteAddress ?? "").slice(0, MAX_ADDRESS_LENGTH),
      userAgent: (this.req.headers["user-agent"] ?? "").slice(0, MAX_USER_AGENT_LENGTH),
    };
  }

  /** Throws `SESSION_HEADERS_SENT` where the client can't be given a new cookie any more. */
  assertHeadersOpen(): void {
    if (!this.areHeadersGone) return;
    throw new SessionError(
      "SESSION_HEADERS_SENT",
      this.handshake === undefined
        ? "The session needs a new cookie, but the response's headers are already sent; change the session before the first byte."
        : "The session needs a new cookie, which a websocket can't be given; start the session in an earlier request. To end it here, call destroy().",
    );
  }

  /** Takes a failure that the app has not awaited. */
  forgotten(failure: ForgottenFailure): void {
    if (this.handshake !== undefined || this.res.closed) {
      toldLater(this.settings.onError)(failure);
      return;
    }
    if (this.#forgotten === undefined) {
      this.#forgotten = [];
      this.res.once("close", () => this.#tellForgotten());
    }
    this.#forgotten.push(failure);
  }

  /** Whether there was any such failure. */
  get hasForgotten(): boolean {
    return this.#forgotten !== undefined;
  }

  /** The first such failure that the app has not taken since. */
  firstForgotten(): ForgottenFailure | undefined {
    return this.#forgotten?.find(({ isTaken }) => !isTaken());
  }

  #tellForgotten(): void {
    for (const { error, isTaken } of this.#forgotten ?? []) {
      if (!isTaken() && error !== this.told) this.settings.onError(error);
    }
  }
}

/** Whether the request has a body, so that listeners are added to its stream. */
export function hasBody({ headers }: IncomingMessage): boolean {
  return (headers["content-length"] ?? "0") !== "0" || headers["transfer-encoding"] !== undefined;
}

/**
 * Whether a request becomes a websocket. What stands in for its response (`{}` in `ws`'s own example, Engine.IO's
 * `WebSocketResponse`, the response without a connection that express-ws makes) is never ended, and carries at most
 * headers, and those only until the handshake is sent.
 */
function isHandshake(req: IncomingMessage, res: ServerResponse): boolean {
  if (!("on" in res)) return true;
  return isUpgrade(req) && !(res instanceof ServerResponse && res.socket !== null);
}

/** Where the handshake of a request stands: whether its response can still be given headers. */
class Handshake {
  readonly #req: IncomingMessage;
  readonly #res: ServerResponse;
  /** What the connection had sent before. */
  readonly #sentBefore: number;

  constructor(req: IncomingMessage, res: ServerResponse) {
    this.#req = req;
    this.#res = res;
    this.#sentBefore = req.socket.bytesWritten;
  }

  get takesHeaders(): boolean {
    // The stand-in of express-ws is one of Node's, but goes nowhere.
    if (this.#res instanceof ServerResponse) return false;
    const { setHeader } = this.#res as Partial<ServerResponse>;
    return typeof setHeader === "function" && this.#req.socket.bytesWritten === this.#sentBefore;
  }
}

/** Node sets `upgrade` on a request that it hands to a listener of that event. */
function isUpgrade(req: IncomingMessage & { readonly upgrade?: unknown }): boolean {
  return req.upgrade === true;
}
