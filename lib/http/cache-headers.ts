import type { ServerResponse } from "node:http";
import vary from "vary";

/** What depends on the session depends on the cookie. (RFC 9110 §12.5.5) */
export function varyByCookie(res: ServerResponse): void {
  if (res.getHeader("Vary") === undefined) res.setHeader("Vary", "Cookie");
  else vary(res, "Cookie");
}

/**
 * Keeps a response that sets the session cookie out of shared caches: `no-store`, or the app's own header with `private` for
 * `public` and without `s-maxage`. (RFC 9111 §5.2.2)
 */
export function keepPrivate(res: ServerResponse): void {
  const own = res.getHeader("Cache-Control");
  res.setHeader("Cache-Control", own === undefined ? "no-store" : privateForm(String(own)));
}

function privateForm(header: string): string {
  const directives = header
    .split(",")
    .map((directive) => directive.trim())
    .filter((directive) => directive !== "" && !/^(public$|s-maxage\b)/i.test(directive));
  const isPrivate = directives.some((directive) => /^(private|no-store)$/i.test(directive));
  return (isPrivate ? directives : ["private", ...directives]).join(", ");
}
