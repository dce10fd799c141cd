import type { ServerResponse } from "node:http";
import vary from "vary";
import { SessionError } from "../../errors";

/**
 * Headers that only shared caches read, and prefer to Cache-Control: CDN-Cache-Control and its kin (RFC 9213), and
 * those of Fastly, Varnish, Akamai and nginx.
 */
const FOR_SHARED_CACHES = /^(?:.+-cache-control|surrogate-control|edge-control|x-accel-expires)$/;
/** Directives that say how a body is assembled, not how long it is kept. */
const ASSEMBLY = /(?<![\w-])(?:content|dca)\s*=\s*(?:"[^"]*"|[^",;\s]+)/gi;

/** What depends on the session depends on the cookie. (RFC 9110 §12.5.5) */
export function varyByCookie(res: ServerResponse): void {
  if (res.getHeader("Vary") === undefined) res.setHeader("Vary", "Cookie");
  else vary(res, "Cookie");
}

/**
 * Keeps a response that sets the session cookie, or shows a security key, out of shared caches. The app's own
 * Cache-Control gets `private` in place of `public` and loses `s-maxage`; where it has none, `otherwise` is set.
 * Headers for shared caches alone forbid to keep it. (RFC 9111 §5.2.2)
 */
export function keepPrivate(res: ServerResponse, otherwise: "no-store" | "private, no-cache"): void {
  const own = textOf(res.getHeader("Cache-Control"));
  res.setHeader("Cache-Control", own === undefined ? otherwise : privateForm(own));
  for (const name of sharedCacheHeaders(res)) {
    const value = textOf(res.getHeader(name)) ?? "";
    if (!forbidsSharing(name, value)) res.setHeader(name, unsharedForm(name, value));
  }
}

/**
 * Throws `SESSION_HEADERS_SENT` where the headers are sent already and let shared caches keep the response that a
 * security key would go into.
 */
export function assertPrivate(res: ServerResponse): void {
  const names = ["cache-control", ...sharedCacheHeaders(res)];
  if (names.every((name) => forbidsSharing(name, textOf(res.getHeader(name)) ?? ""))) return;
  throw new SessionError(
    "SESSION_HEADERS_SENT",
    "A security key can't be shown any more: the response's headers are already sent, and let shared caches keep the page. Make the key before the first byte, or set Cache-Control to private or no-store.",
  );
}

/**
 * The names, in lower case, of this response's headers for shared caches. A stand-in for a response may not know them.
 */
function sharedCacheHeaders(res: Partial<ServerResponse>): string[] {
  return (res.getHeaderNames?.() ?? []).filter((name) => FOR_SHARED_CACHES.test(name));
}

function forbidsSharing(name: string, value: string): boolean {
  if (name === "x-accel-expires") return value === "0";
  return directivesOf(value).some((directive) => /^(?:private|no-store)$/i.test(directive));
}

function unsharedForm(name: string, value: string): string {
  if (name === "x-accel-expires") return "0";
  return ["no-store", ...(value.match(ASSEMBLY) ?? [])].join(", ");
}

function privateForm(header: string): string {
  const directives = directivesOf(header).filter((directive) => !/^(public$|s-maxage\b)/i.test(directive));
  const isPrivate = directives.some((directive) => /^(private|no-store)$/i.test(directive));
  return (isPrivate ? directives : ["private", ...directives]).join(", ");
}

function directivesOf(header: string): string[] {
  return header
    .split(",")
    .map((directive) => directive.trim())
    .filter((directive) => directive !== "");
}

function textOf(header: number | string | string[] | undefined): string | undefined {
  return header === undefined ? undefined : String(header);
}
