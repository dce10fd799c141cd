import type { SessionRecord } from "../record/session-record";
import { shownText } from "../record/shown-text";

/** What is known of a session beside its data. */
export interface SessionMeta {
  /** When the session began. */
  readonly createdAt: Date;
  /** When it was last used, to within the option `touchInterval`. */
  readonly lastSeenAt: Date;
  /** When it will be over if nobody comes back; null for never. */
  readonly expiresAt: Date | null;
  /** The name of the app that it belongs to; `""` where a store has one app. */
  readonly project: string;
  /** Where it is used: `"browser"`, `"clientless"`, or what the option `scope` returns. */
  readonly scope: string;
  /** The address that it was created from. */
  readonly remoteAddress: string;
  /** The `User-Agent` that it was created with. */
  readonly userAgent: string;
}

/** The fields of a record that the app sees as `session.meta`. */
export type MetaFields = Pick<
  SessionRecord,
  "createdAt" | "lastSeenAt" | "expiresAt" | "project" | "scope" | "remoteAddress" | "userAgent"
>;

export function sessionMeta(fields: MetaFields): SessionMeta {
  return {
    createdAt: new Date(fields.createdAt),
    lastSeenAt: new Date(fields.lastSeenAt),
    expiresAt: dateOrNull(fields.expiresAt),
    project: fields.project,
    scope: fields.scope,
    remoteAddress: fields.remoteAddress,
    userAgent: fields.userAgent,
  };
}

/** An instant as users see it: a Date, or null for never. */
export function dateOrNull(instant: number): Date | null {
  return Number.isFinite(instant) ? new Date(instant) : null;
}

/** What `session.cookie` shows to code that was written for express-session. Instants and durations in milliseconds. */
export interface CookieView {
  /** How much longer the cookie lives; null where it goes with the browser. */
  readonly maxAge: number | null;
  /** When the cookie ends; null where it goes with the browser. */
  readonly expires: Date | null;
  /** How long it lives in all; null where it goes with the browser. */
  readonly originalMaxAge: number | null;
  /** Always true: no script can read the cookie. */
  readonly httpOnly: true;
}

const OPTION_FOR: ReadonlyMap<string, string> = new Map([
  ["maxAge", "set idleTimeout or absoluteTimeout of sessionMiddleware, or call login(user, { remember: true })"],
  ["expires", "set absoluteTimeout of sessionMiddleware, or call login(user, { remember: true })"],
  ["originalMaxAge", "set absoluteTimeout of sessionMiddleware"],
  ["httpOnly", "the cookie is always HttpOnly"],
]);

const READ_ONLY: ProxyHandler<CookieView> = {
  set(_view, name) {
    throw new TypeError(
      `session.cookie.${shownText(String(name))} can't be set per session; ${optionFor(String(name))}.`,
    );
  },
};

function optionFor(name: string): string {
  return OPTION_FOR.get(name) ?? `set the option cookie.${shownText(name)} of sessionMiddleware`;
}

/** The read-only view. `endsAt`: when a persistent cookie ends; null for one that goes with the browser. */
export function cookieView(endsAt: number | null, createdAt: number, now: number): CookieView {
  const view: CookieView = {
    maxAge: endsAt === null ? null : Math.max(0, endsAt - now),
    expires: endsAt === null ? null : new Date(endsAt),
    originalMaxAge: endsAt === null ? null : endsAt - createdAt,
    httpOnly: true,
  };
  return new Proxy(view, READ_ONLY);
}
