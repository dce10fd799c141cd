import type { ServerResponse } from "node:http";
import { keepPrivate, varyByCookie } from "./cookie/cache-headers";
import type { Exchange } from "./exchange";

const NOT_KEPT =
  "A Secure cookie was set on plain HTTP, where browsers keep it on localhost only. Open the app by HTTPS or as http://localhost; behind a proxy that ends HTTPS, set app.set('trust proxy', 1).";

/** What the response has to tell the browser about its cookie. `endsAt` in milliseconds since the epoch; null where the cookie goes with the browser. */
export type CookieNews = { readonly token: string; readonly endsAt: number | null } | "remove";

/** The headers of a response whose session was read. `showsKey`: a security key is on the page. */
export function setHeadersOfReading({ res }: Exchange, showsKey: boolean): void {
  varyByCookie(res);
  // The page is another one after the next login, but the browser may go back to it.
  if (showsKey) keepPrivate(res, "private, no-cache");
}

/** The headers of a response that sets the cookie, or takes it back. `isOneOfSeveral`: the request carried others of its name. */
export function setHeadersOfNews(exchange: Exchange, news: CookieNews, isOneOfSeveral: boolean): void {
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
