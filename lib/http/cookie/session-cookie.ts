import type { IncomingMessage, Server } from "node:http";
import { parseCookie, stringifySetCookie } from "cookie";
import { isToken } from "../../record/token";
import { isSignedToken } from "./cookie-signature";
import type { CookieSignature } from "./cookie-signature";

/** The longest life that browsers give a cookie: 400 days, in milliseconds. (RFC 6265bis §5.5) */
export const MAX_COOKIE_AGE_MS = 400 * 24 * 60 * 60 * 1000;

/** How many cookies of our name are tried, of those that a request carries. */
const MAX_TRIED = 4;
/** The length of a token: anything shorter is ignored. */
const MIN_VALUE_LENGTH = 43;
const NONE: readonly string[] = [];
/** Where browsers keep Secure cookies although the page came by plain HTTP. (W3C Secure Contexts §3.1) */
const LOCAL_HOST = /^(?:(?:.+\.)?localhost|127(?:\.\d+){3}|\[::1\])(?::\d+)?$/i;

/**
 * A name with a dot in it that does not end in a number: neither an IP address, for which browsers keep no domain, nor
 * `localhost`.
 */
const DOMAIN_NAME = /^(?:[a-z\d](?:[a-z\d-]*[a-z\d])?\.)+[a-z][a-z\d-]*$/i;

/** How the session cookie is set: the option `cookie` with its defaults. */
export interface CookieSettings {
  /** The name without the prefix that HTTPS adds. */
  readonly name: string;
  /** Whether HTTPS adds a prefix. */
  readonly prefix: boolean;
  readonly path: string;
  readonly domain: string | undefined;
  readonly sameSite: "strict" | "lax" | "none" | undefined;
  /** "auto": as the request came in. */
  readonly secure: boolean | "auto";
  readonly priority: "low" | "medium" | "high" | undefined;
  readonly partitioned: boolean;
  /** Whether the cookie outlives the browser. */
  readonly persistent: boolean;
}

/** What tells two cookies of one name and path apart in a browser. (RFC 6265bis §5.7, CHIPS) */
type CookieSlot = Pick<CookieSettings, "domain" | "partitioned">;

/** The name and security of the cookie on one request. (RFC 6265bis §4.1.3) */
export interface CookieOnRequest {
  readonly name: string;
  readonly secure: boolean;
  /** Whether the request came by HTTPS. */
  readonly overHttps: boolean;
}

/** What happens where only the name of a cookie says that its request came over HTTPS. */
interface Claims {
  /** Whether plain HTTP may carry sessions. */
  readonly allowInsecure: boolean;
  /** Called when the name was believed. */
  readonly onClaimed: () => void;
}

/** Reads and writes the session cookie. It reads only the name that it would set on this very request. */
export class SessionCookie {
  readonly #settings: CookieSettings;
  readonly #signature: CookieSignature | undefined;
  readonly #claims: Claims;
  readonly #security = new RequestSecurity();
  readonly #overHttp: CookieOnRequest;
  readonly #overHttps: CookieOnRequest;

  constructor(settings: CookieSettings, signature: CookieSignature | undefined, claims: Claims) {
    this.#claims = claims;
    this.#settings = settings;
    this.#signature = signature;
    const { secure, name } = settings;
    // Browsers refuse these two without Secure, and accept Secure on http://localhost.
    const needsSecure = settings.sameSite === "none" || settings.partitioned;
    const prefixed = prefixOf(settings) + name;
    this.#overHttp = {
      name: secure === true ? prefixed : name,
      secure: secure === true || needsSecure,
      overHttps: false,
    };
    this.#overHttps = { name: secure === false ? name : prefixed, secure: secure !== false, overHttps: true };
  }

  get settings(): CookieSettings {
    return this.#settings;
  }

  /** The cookie as it would be set on this request. */
  onRequest(req: IncomingMessage): CookieOnRequest {
    return this.#isHttps(req) ? this.#overHttps : this.#overHttp;
  }

  #isHttps(req: IncomingMessage): boolean {
    return this.#security.isHttps(req) ?? (this.#settings.secure === true || this.#isClaimed(req));
  }

  /**
   * Where nothing else says whether the request came over HTTPS, the name of its cookie can: only HTTPS sets a prefixed
   * one. Browsers send that to `http://localhost`, too, where it may be another app's. So a bare cookie counts more,
   * wherever plain HTTP may carry sessions.
   */
  #isClaimed(req: IncomingMessage): boolean {
    if (this.#overHttps.name === this.#overHttp.name || this.tokens(req, this.#overHttps).length === 0) return false;
    if (this.#claims.allowInsecure && this.tokens(req, this.#overHttp).length > 0) return false;
    this.#claims.onClaimed();
    return true;
  }

  /**
   * The tokens that the request carries under this name, in the order of the header. At most four values of the right
   * form are tried. Browsers send several after `domain`, `path` or `partitioned` was changed.
   */
  tokens(req: IncomingMessage, { name }: CookieOnRequest): readonly string[] {
    const header = req.headers.cookie;
    if (header === undefined) return NONE;
    const tokens: string[] = [];
    const tried: string[] = [];
    for (let at = header.indexOf(name); at >= 0; at = header.indexOf(name, at + name.length)) {
      if (!startsPair(header, at)) continue;
      const next = header.indexOf(";", at);
      const end = next < 0 ? header.length : next;
      // However many cookies there are, only values that are long enough are parsed, and only those of the right form
      // cost a signature.
      if (end - at <= name.length + MIN_VALUE_LENGTH) continue;
      const value = parseCookie(header.slice(at, end))[name];
      if (value === undefined || !this.#hasForm(value) || tried.includes(value)) continue;
      const token = this.#signature === undefined ? value : this.#signature.verify(value);
      if (token !== undefined) tokens.push(token);
      if (tried.push(value) === MAX_TRIED) break;
    }
    return tokens;
  }

  /** Whether a browser keeps the cookie that this request would get. */
  isKept({ secure, overHttps }: CookieOnRequest, req: IncomingMessage): boolean {
    return !secure || overHttps || LOCAL_HOST.test(req.headers.host ?? "");
  }

  /**
   * The Set-Cookie header for a token. `endsAt` and `now` in milliseconds; an `endsAt` of null makes a cookie that ends
   * with the browser.
   */
  header(cookie: CookieOnRequest, token: string, endsAt: number | null, now: number): string {
    const value = this.#signature?.sign(token) ?? token;
    return this.#stringify(cookie, value, endsAt === null ? undefined : secondsUntil(endsAt, now));
  }

  /** The Set-Cookie header that removes the cookie. */
  removalHeader(cookie: CookieOnRequest): string {
    return this.#stringify(cookie, "", 0);
  }

  /** The Set-Cookie headers that remove what earlier settings may have left on this host beside the cookie. */
  leftoverHeaders(cookie: CookieOnRequest, req: IncomingMessage): string[] {
    const { hostname = (req.headers.host ?? "").replace(/:\d+$/, "") } = req as { hostname?: string };
    const slots = otherSlots(this.#settings, cookie, hostname);
    return slots.map((slot) => this.#stringify(cookie, "", 0, slot));
  }

  #hasForm(value: string): boolean {
    return this.#signature === undefined ? isToken(value) : isSignedToken(value);
  }

  #stringify(
    { name, secure }: CookieOnRequest,
    value: string,
    maxAge: number | undefined,
    { domain, partitioned }: CookieSlot = this.#settings,
  ): string {
    const { path, sameSite, priority } = this.#settings;
    return stringifySetCookie({
      ...{ name, value, path, secure, partitioned, httpOnly: true },
      ...(domain === undefined ? undefined : { domain }),
      ...(sameSite === undefined ? undefined : { sameSite }),
      ...(priority === undefined ? undefined : { priority }),
      ...(maxAge === undefined ? undefined : { maxAge }),
      ...(maxAge === 0 ? { expires: new Date(0) } : undefined),
    });
  }
}

function prefixOf({ prefix, path, domain }: CookieSettings): string {
  if (!prefix) return "";
  return path === "/" && domain === undefined ? "__Host-" : "__Secure-";
}

function startsPair(header: string, at: number): boolean {
  let before = at - 1;
  while (before >= 0 && (header[before] === " " || header[before] === "\t")) before -= 1;
  return before < 0 || header[before] === ";";
}

function secondsUntil(endsAt: number, now: number): number {
  return Math.max(1, Math.floor((endsAt - now) / 1000));
}

/**
 * Where an earlier `domain` or `partitioned` may have left a cookie of this name and path on this very host. Cookies of
 * a domain above it, or of another path, may be another app's.
 */
function otherSlots(
  { domain, partitioned }: CookieSettings,
  cookie: CookieOnRequest,
  hostname: string,
): readonly CookieSlot[] {
  const slots: CookieSlot[] = [];
  // Browsers keep Partitioned ones only where they are Secure.
  if (cookie.secure) slots.push({ domain, partitioned: !partitioned });
  if (cookie.name.startsWith("__Host-")) return slots;
  if (domain !== undefined) slots.push({ domain: undefined, partitioned });
  if (DOMAIN_NAME.test(hostname) && domain?.replace(/^\./, "").toLowerCase() !== hostname.toLowerCase()) {
    slots.push({ domain: hostname, partitioned });
  }
  return slots;
}

/** What is read of an Express app: the function that Express makes of its setting `trust proxy`. */
interface ExpressApp {
  get(setting: "trust proxy fn"): unknown;
  readonly settings: object;
}

/** Express's own `req.secure` follows `trust proxy`; `req.app` is the app that handles the request. */
interface ExpressRequest {
  readonly secure?: boolean;
  readonly app?: ExpressApp;
}

/** Tells whether a request came over HTTPS, also one that never reaches Express: an upgrade to a websocket. */
class RequestSecurity {
  /** The app of requests that did reach Express. */
  #app: ExpressApp | undefined;

  /** Undefined where that can't be known: a proxy may have ended the HTTPS. */
  isHttps(req: IncomingMessage): boolean | undefined {
    const { secure, app } = req as ExpressRequest;
    if (secure !== undefined) {
      this.#app ??= app;
      return secure;
    }
    if ((req.socket as { readonly encrypted?: boolean }).encrypted === true) return true;
    const serving = appOf(req) ?? this.#app;
    return serving === undefined ? undefined : isForwardedHttps(req, serving);
  }
}

/** As Express decides it: the first value counts, where the proxy at the other end of the connection is trusted. */
function isForwardedHttps({ headers, socket }: IncomingMessage, app: ExpressApp): boolean | undefined {
  const trust = app.get("trust proxy fn") as (address: string | undefined, hop: number) => boolean;
  if (!trust(socket.remoteAddress, 0)) return undefined;
  const [proto] = String(headers["x-forwarded-proto"] ?? "http").split(",");
  return proto?.trim() === "https";
}

/** The Express app that is a listener of the request's server. */
function appOf({ socket }: IncomingMessage): ExpressApp | undefined {
  const { server } = socket as { readonly server?: Server };
  const listeners: unknown[] = server?.listeners("request") ?? [];
  return listeners.find(isExpressApp);
}

function isExpressApp(listener: unknown): listener is ExpressApp {
  const app = listener as Partial<ExpressApp>;
  return typeof app.get === "function" && typeof app.settings === "object";
}
