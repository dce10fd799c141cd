import type { ServerResponse } from "node:http";
import vary from "vary";

/** What depends on the session depends on the cookie. (RFC 9110 §12.5.5) */
export function varyByCookie(res: ServerResponse): void {
  if (res.getHeader("Vary") === undefined) res.setHeader("Vary", "Cookie");
  else vary(res, "Cookie");
}

/**
 * Keeps a response that sets the session cookie, or shows a key, out of shared caches: the app's own header with `private` for
 * `public` and without `s-maxage`, or where it has none, `otherwise`. (RFC 9111 §5.2.2)
 */
export function keepPrivate(res: ServerResponse, otherwise: "no-store" | "private, no-cache"): void {
  const own = res.getHeader("Cache-Control");
  res.setHeader("Cache-Control", own === undefined ? otherwise : privateForm(String(own)));
}

function privateForm(header: string): string {
  const directives = header
    .split(",")
    .map((directive) => directive.trim())
    .filter((directive) => directive !== "" && !/^(public$|s-maxage\b)/i.test(directive));
  const isPrivate = directives.some((directive) => /^(private|no-store)$/i.test(directive));
  return (isPrivate ? directives : ["private", ...directives]).join(", ");
}
