import type { IncomingMessage } from "node:http";
import { parseCookie, stringifySetCookie } from "cookie";
import { isToken } from "../record/token";
import type { CookieSettings } from "./cookie-settings";
import type { CookieSignature } from "./cookie-signature";
import { RequestSecurity } from "./request-security";

/** The longest life that browsers give a cookie: 400 days, in milliseconds. (RFC 6265bis §5.5) */
export const MAX_COOKIE_AGE_MS = 400 * 24 * 60 * 60 * 1000;

/** The name and security of the cookie on one request. (RFC 6265bis §4.1.3) */
export interface CookieOnRequest {
  readonly name: string;
  readonly secure: boolean;
}

/** Reads and writes the session cookie. Only the name that would be set on this very request is read. */
export class SessionCookie {
  readonly #settings: CookieSettings;
  readonly #signature: CookieSignature | undefined;
  readonly #onClaimed: () => void;
  readonly #security = new RequestSecurity();
  readonly #plain: CookieOnRequest;
  readonly #secure: CookieOnRequest;

  /** `onClaimed`: only the name of a cookie tells that its request came over HTTPS. */
  constructor(settings: CookieSettings, signature: CookieSignature | undefined, onClaimed: () => void) {
    this.#onClaimed = onClaimed;
    this.#settings = settings;
    this.#signature = signature;
    this.#plain = { name: settings.name, secure: false };
    const prefix = settings.path === "/" && settings.domain === undefined ? "__Host-" : "__Secure-";
    this.#secure = { name: prefix + settings.name, secure: true };
  }

  get settings(): CookieSettings {
    return this.#settings;
  }

  /** The cookie as this request would get it. */
  onRequest(req: IncomingMessage): CookieOnRequest {
    const { secure } = this.#settings;
    if (secure !== "auto") return secure ? this.#secure : this.#plain;
    const isHttps = this.#security.isHttps(req) ?? this.#isClaimed(req);
    return isHttps ? this.#secure : this.#plain;
  }

  /** Where nobody can say, the name of a cookie that came can: browsers send a prefixed one over HTTPS only. */
  #isClaimed(req: IncomingMessage): boolean {
    if (req.headers.cookie?.includes(`${this.#secure.name}=`) !== true) return false;
    this.#onClaimed();
    return true;
  }

  /** The token that the request carries under this name; undefined where it carries none that could be ours. */
  token(req: IncomingMessage, { name }: CookieOnRequest): string | undefined {
    const header = req.headers.cookie;
    if (header === undefined) return undefined;
    for (let at = header.indexOf(name); at >= 0; at = header.indexOf(name, at + name.length)) {
      // Only this pair is parsed, however many cookies there are. Of several, the first that could be ours counts.
      if (!startsPair(header, at)) continue;
      const end = header.indexOf(";", at);
      const value = parseCookie(header.slice(at, end < 0 ? undefined : end))[name];
      const token = value === undefined ? undefined : this.#tokenIn(value);
      if (token !== undefined) return token;
    }
    return undefined;
  }

  /** The Set-Cookie header for a token. `endsAt` and `now` in milliseconds; null for a cookie that goes with the browser. */
  header(cookie: CookieOnRequest, token: string, endsAt: number | null, now: number): string {
    const value = this.#signature?.sign(token) ?? token;
    return this.#stringify(cookie, value, endsAt === null ? undefined : secondsUntil(endsAt, now));
  }

  /** The Set-Cookie header that takes the cookie back. */
  removalHeader(cookie: CookieOnRequest): string {
    return this.#stringify(cookie, "", 0);
  }

  #tokenIn(value: string): string | undefined {
    const token = this.#signature === undefined ? value : this.#signature.verify(value);
    return token !== undefined && isToken(token) ? token : undefined;
  }

  #stringify({ name, secure }: CookieOnRequest, value: string, maxAge: number | undefined): string {
    const { path, domain, sameSite, priority, partitioned } = this.#settings;
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

function startsPair(header: string, at: number): boolean {
  let before = at - 1;
  while (before >= 0 && (header[before] === " " || header[before] === "\t")) before -= 1;
  return before < 0 || header[before] === ";";
}

function secondsUntil(endsAt: number, now: number): number {
  return Math.max(1, Math.floor((endsAt - now) / 1000));
}
