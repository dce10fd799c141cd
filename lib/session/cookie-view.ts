import { shownText } from "../record/shown-text";

/** What `session.cookie` shows to code that was written for express-session. Instants and durations in milliseconds. */
export interface CookieView {
  /** How long the cookie has still to live; null where it goes with the browser. */
  readonly maxAge: number | null;
  readonly expires: Date | null;
  readonly originalMaxAge: number | null;
  readonly httpOnly: true;
}

const OPTION_FOR: ReadonlyMap<string, string> = new Map([
  ["maxAge", "idleTimeout, absoluteTimeout or login(user, { remember: true })"],
  ["expires", "absoluteTimeout or login(user, { remember: true })"],
  ["originalMaxAge", "absoluteTimeout"],
  ["httpOnly", "nothing, because the cookie is always HttpOnly"],
]);

const READ_ONLY: ProxyHandler<CookieView> = {
  set(_view, name) {
    throw new TypeError(
      `session.cookie.${shownText(String(name))} can't be set per session; use ${optionFor(String(name))} of sessionMiddleware instead.`,
    );
  },
};

function optionFor(name: string): string {
  return OPTION_FOR.get(name) ?? `the option cookie.${shownText(name)}`;
}

/** The read-only view. `endsAt` is the instant at which a persistent cookie ends, null for one that goes with the browser. */
export function cookieView(endsAt: number | null, createdAt: number, now: number): CookieView {
  const view: CookieView = {
    maxAge: endsAt === null ? null : Math.max(0, endsAt - now),
    expires: endsAt === null ? null : new Date(endsAt),
    originalMaxAge: endsAt === null ? null : endsAt - createdAt,
    httpOnly: true,
  };
  return new Proxy(view, READ_ONLY);
}
