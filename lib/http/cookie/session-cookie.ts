import type { IncomingMessage } from "node:http";
import { parseCookie, stringifySetCookie } from "cookie";
import { isToken } from "../../record/token";
import type { CookieSettings } from "./cookie-settings";
import { isSignedToken } from "./cookie-signature";
import type { CookieSignature } from "./cookie-signature";
import { RequestSecurity } from "./request-security";
import { otherSlots } from "./cookie-slots";
import type { CookieSlot } from "./cookie-slots";

/** The longest life that browsers give a cookie: 400 days, in milliseconds. (RFC 6265bis §5.5) */
export const MAX_COOKIE_AGE_MS = 400 * 24 * 60 * 60 * 1000;

/** How many cookies of our name are tried, of those that a request carries. */
const MAX_TRIED = 4;
/** Nothing shorter than a token is looked at. */
const MIN_VALUE_LENGTH = 43;
const NONE: readonly string[] = [];
/** Where browsers keep Secure cookies although the page came by plain HTTP. (W3C Secure Contexts §3.1) */
const LOCAL_HOST = /^(?:(?:.+\.)?localhost|127(?:\.\d+){3}|\[::1\])(?::\d+)?$/i;

/** The name and security of the cookie on one request. (RFC 6265bis §4.1.3) */
export interface CookieOnRequest {
  readonly name: string;
  readonly secure: boolean;
  /** Whether the request came by HTTPS. */
  readonly overHttps: boolean;
}

/** What is done where only the name of a cookie tells that its request came over HTTPS. */
interface Claims {
  /** Whether plain HTTP may carry sessions. */
  readonly allowInsecure: boolean;
  /** The name was believed. */
  readonly onClaimed: () => void;
}

/** Reads and writes the session cookie. Only the name that would be set on this very request is read. */
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
    // Browsers refuse these two without Secure, and take Secure on http://localhost.
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

  /** The cookie as this request would get it. */
  onRequest(req: IncomingMessage): CookieOnRequest {
    return this.#isHttps(req) ? this.#overHttps : this.#overHttp;
  }

  #isHttps(req: IncomingMessage): boolean {
    return this.#security.isHttps(req) ?? (this.#settings.secure === true || this.#isClaimed(req));
  }

  /**
   * Where nobody can say, the name of a cookie that came can: only HTTPS sets a prefixed one. Browsers send it to
   * `http://localhost`, too, where it may be another app's: the bare one goes before it wherever plain HTTP may carry
   * sessions.
   */
  #isClaimed(req: IncomingMessage): boolean {
    if (this.#overHttps.name === this.#overHttp.name || this.tokens(req, this.#overHttps).length === 0) return false;
    if (this.#claims.allowInsecure && this.tokens(req, this.#overHttp).length > 0) return false;
    this.#claims.onClaimed();
    return true;
  }

  /**
   * The tokens that the request carries under this name, in the order of the header: four at most of those that could
   * be ours. Browsers send several after `domain`, `path` or `partitioned` was changed.
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
      // Only what is long enough is parsed, and only what has the right form costs a signature, however many cookies
      // there are.
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
   * The Set-Cookie header for a token. `endsAt` and `now` in milliseconds; null for a cookie that goes with the
   * browser.
   */
  header(cookie: CookieOnRequest, token: string, endsAt: number | null, now: number): string {
    const value = this.#signature?.sign(token) ?? token;
    return this.#stringify(cookie, value, endsAt === null ? undefined : secondsUntil(endsAt, now));
  }

  /** The Set-Cookie header that takes the cookie back. */
  removalHeader(cookie: CookieOnRequest): string {
    return this.#stringify(cookie, "", 0);
  }

  /** The Set-Cookie headers that take back what earlier settings may have left on this host beside the cookie. */
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
