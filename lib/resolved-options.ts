import type { IncomingMessage } from "node:http";
import type { AuditSink } from "./admin/admin-audit";
import type { IsPasswordExpired, IsSuperUser } from "./admin/admin-call";
import type { IsAuthorized } from "./admin/session-reader";
import { SessionError } from "./errors";
import type { CookieSettings } from "./http/cookie-settings";
import type { CookieOptions, SessionOptions } from "./options";
import { aBoolean, aFunction, assertKnown, duration, oneOf, refuse, stringList } from "./options-reader";
import type { ExpiryPolicy } from "./record/expiry";
import { CLIENTLESS_SCOPE } from "./record/clientless-scope";
import { isProjectName } from "./record/project-name";
import { UNAUTHENTICATED } from "./record/session-record";
import { clearJobRoom } from "./rooms-on-demand";
import { passportUser } from "./session/session-owner";
import type { UserOf } from "./session/session-owner";
import type { SessionStore } from "./stores/store";

/** The options as everything else reads them: checked, with defaults, durations in milliseconds. */
export interface ResolvedOptions {
  readonly store: SessionStore | undefined;
  readonly cookie: CookieSettings;
  readonly limits: ExpiryPolicy;
  readonly rememberMs: number;
  readonly touchIntervalMs: number;
  readonly keepOnLogin: readonly string[];
  readonly keepOnLogout: readonly string[];
  readonly keepEndedMs: number;
  readonly clearSchedule: string | false;
  readonly secrets: readonly string[];
  readonly userOf: UserOf;
  readonly isSuperUser: IsSuperUser;
  readonly isPasswordExpired: IsPasswordExpired;
  readonly isAuthorized: IsAuthorized;
  readonly audit: AuditSink | undefined;
  readonly maxSessionsPerUser: number;
  readonly project: string;
  readonly scopeOf: (req: IncomingMessage) => string;
  readonly storeTimeoutMs: number;
  readonly maxBytes: number;
  readonly leaseMs: number;
  readonly killCheckMs: number;
  readonly now: () => number;
}

const OPTIONS: readonly (keyof SessionOptions)[] = [
  ...(["store", "cookie", "idleTimeout", "absoluteTimeout", "rememberTimeout", "touchInterval"] as const),
  ...(["keepOnLogin", "keepOnLogout", "keepEnded", "clearSchedule", "secrets", "userOf", "project"] as const),
  ...(["scope", "storeTimeout", "maxBytes", "leaseTimeout", "killCheckInterval", "now"] as const),
  ...(["isSuperUser", "isPasswordExpired", "isAuthorized", "audit", "maxSessionsPerUser"] as const),
];
const COOKIE_OPTIONS: readonly (keyof CookieOptions)[] = [
  ...(["name", "path", "domain", "sameSite", "secure", "priority", "partitioned", "persistent", "prefix"] as const),
];
const STORE_METHODS = ["load", "create", "update", "mutate", "replace", "end", "find", "tally", "clear", "close"];
const MINUTE = 60_000;
/** Every quarter of an hour. */
export const DEFAULT_SCHEDULE = "*/15 * * * *";
/** The longest time that a timer of Node's can wait. */
const MAX_TIMER_MS = 2 ** 31 - 1;
const MIN_SECRET_BYTES = 32;
/** Fewer different characters than this are no secret: "aaaa…", "keyboard cat" written over and over. */
const MIN_SECRET_CHARACTERS = 10;
/** What stands in READMEs and tutorials, and what hands type. By chance none of it comes about. */
const EXAMPLE_SECRET =
  /keyboard cat|change[ _-]?me|your[ _-]?secret|supersecret|example|password|correct.?horse|thirtytwo|minimum length|0123456789|1234567890|abcdefgh|qwertyui/i;

/** Reads and checks all options: `SESSION_CONFIG` names the first that is wrong. */
export function resolveOptions(options: SessionOptions = {}): ResolvedOptions {
  if (!isPlainObject(options)) {
    // What was given instead may be a secret, as other middlewares take one here.
    throw new SessionError(
      "SESSION_CONFIG",
      'The options must be an object, such as { idleTimeout: "1h" }, or nothing.',
    );
  }
  assertKnown(options, OPTIONS, "");
  const project = projectName(options.project ?? "");
  const idleMs = duration("idleTimeout", options.idleTimeout ?? "1h", { infinite: true });
  const touchIntervalMs = touchInterval(options.touchInterval, idleMs);
  const { store, scope = "browser", now = Date.now, maxBytes = 512 * 1024 } = options;
  if (store !== undefined) assertStore(store);
  if (!Number.isSafeInteger(maxBytes) || maxBytes < 1024) {
    refuse("maxBytes", maxBytes, "give a whole number of bytes, 1024 or more");
  }
  return {
    store,
    cookie: cookieSettings(options.cookie ?? {}, project),
    limits: {
      idleMs,
      absoluteMs: duration("absoluteTimeout", options.absoluteTimeout ?? "24h", { infinite: true }),
    },
    rememberMs: rememberTimeout(options.rememberTimeout ?? "30d", touchIntervalMs),
    touchIntervalMs,
    keepOnLogin: stringList("keepOnLogin", options.keepOnLogin ?? ["language"]),
    keepOnLogout: stringList("keepOnLogout", options.keepOnLogout ?? ["language"]),
    keepEndedMs: duration("keepEnded", options.keepEnded ?? "24h", { zero: true }),
    clearSchedule: options.clearSchedule === false ? false : checkedSchedule(options.clearSchedule ?? DEFAULT_SCHEDULE),
    secrets: secrets(options.secrets ?? []),
    userOf: aFunction("userOf", options.userOf ?? passportUser, "(session)"),
    isSuperUser: aFunction("isSuperUser", options.isSuperUser ?? no, "(user)"),
    isPasswordExpired: aFunction("isPasswordExpired", options.isPasswordExpired ?? no, "(user)"),
    isAuthorized: aFunction("isAuthorized", options.isAuthorized ?? hasOwner, "(session)"),
    audit: options.audit === undefined ? undefined : aFunction("audit", options.audit, "(entry)"),
    maxSessionsPerUser: sessionsPerUser(options.maxSessionsPerUser ?? Infinity),
    project,
    scopeOf: scopeFunction(scope),
    storeTimeoutMs: duration("storeTimeout", options.storeTimeout ?? "5s", { max: MAX_TIMER_MS }),
    maxBytes,
    leaseMs: duration("leaseTimeout", options.leaseTimeout ?? "15m", { max: MAX_TIMER_MS }),
    killCheckMs: duration("killCheckInterval", options.killCheckInterval ?? "5s", { max: MAX_TIMER_MS }),
    now: aFunction("now", now, "no arguments that answers milliseconds"),
  };
}

const no = () => false;
const hasOwner: IsAuthorized = ({ username }) => username !== UNAUTHENTICATED;

function sessionsPerUser(max: unknown): number {
  if (max === Infinity || (Number.isSafeInteger(max) && (max as number) >= 1)) return max as number;
  return refuse("maxSessionsPerUser", max, "give a whole number, 1 or more, or leave it out for no limit");
}

function projectName(project: unknown): string {
  if (isProjectName(project)) return project;
  return refuse("project", project, "give up to 64 letters, digits, '-', '_' and '.'");
}

/** The app's own function, of which nothing but a string is stored. */
function scopeFunction(scope: unknown): (req: IncomingMessage) => string {
  if (typeof scope === "string") {
    const name = scopeName(scope);
    return () => name;
  }
  const scopeOf = aFunction("scope", scope as (req: IncomingMessage) => unknown, "(req), or a string");
  return (req) => {
    const name = scopeOf(req);
    return typeof name === "string" ? scopeName(name) : refuse("scope", name, "its function must return a string");
  };
}

/** A cookie never opens a clientless session, so a browser's session can't be one. */
function scopeName(name: string): string {
  return name === CLIENTLESS_SCOPE ? refuse("scope", name, "choose another name for what has a client") : name;
}

function touchInterval(given: unknown, idleMs: number): number {
  const millis = given === undefined ? Math.min(5 * MINUTE, idleMs / 10) : duration("touchInterval", given);
  if (millis < idleMs) return millis;
  return refuse("touchInterval", given, `it must be less than idleTimeout, which is ${idleMs} ms`);
}

function rememberTimeout(given: unknown, touchIntervalMs: number): number {
  const millis = duration("rememberTimeout", given);
  if (millis > touchIntervalMs) return millis;
  return refuse("rememberTimeout", given, `it must be more than touchInterval, which is ${touchIntervalMs} ms`);
}

/** A cron expression; anything else is refused. */
export function checkedSchedule(schedule: unknown): string {
  // Known to be one, so node-cron is not loaded for it.
  if (schedule === DEFAULT_SCHEDULE) return DEFAULT_SCHEDULE;
  if (typeof schedule === "string" && clearJobRoom().isSchedule(schedule)) return schedule;
  return refuse("clearSchedule", schedule, `give a cron expression such as "*/15 * * * *", or false`);
}

function secrets(given: unknown): readonly string[] {
  if (!Array.isArray(given)) throw secretError("is an array of strings, the newest first");
  return given.map((secret: unknown, index) => {
    if (typeof secret !== "string") throw secretError(`takes strings, and number ${index} is none`);
    if (Buffer.byteLength(secret) < MIN_SECRET_BYTES) throw secretError(`number ${index} has under 32 bytes`);
    if (EXAMPLE_SECRET.test(secret) || new Set(secret).size < MIN_SECRET_CHARACTERS) {
      throw secretError(`number ${index} is an example, or easy to guess`);
    }
    return secret;
  });
}

/** Names the secret by its place: the value itself is in no message. */
function secretError(what: string): SessionError {
  return new SessionError("SESSION_CONFIG", `Option secrets ${what}; make a secret with: npx coatcheck secret`);
}

function assertStore(store: object): void {
  const missing = STORE_METHODS.filter((method) => typeof (store as Record<string, unknown>)[method] !== "function");
  if (missing.length > 0) refuse("store", store, `it has no ${missing.join(", ")}; see SessionStore`);
}

/** Not an array, a Map, or a store that was given in the place of options. */
function isPlainObject(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const above: unknown = Object.getPrototypeOf(value);
  return above === null || Object.getPrototypeOf(above) === null;
}

function cookieSettings(cookie: CookieOptions, project: string): CookieSettings {
  if (!isPlainObject(cookie)) refuse("cookie", cookie, `give an object such as { sameSite: "strict" }`);
  assertKnown(cookie, COOKIE_OPTIONS, "cookie.");
  const settings: CookieSettings = {
    name: cookieName(cookie.name ?? (project === "" ? "sid" : `sid-${project}`)),
    prefix: aBoolean("cookie.prefix", cookie.prefix ?? true),
    path: cookiePath(cookie.path ?? "/"),
    domain: cookieDomain(cookie.domain),
    sameSite: "sameSite" in cookie ? oneOf("cookie.sameSite", cookie.sameSite, ["strict", "lax", "none"]) : "lax",
    secure: oneOf("cookie.secure", cookie.secure ?? "auto", [true, false, "auto"]),
    priority: oneOf("cookie.priority", cookie.priority, ["low", "medium", "high"]),
    partitioned: aBoolean("cookie.partitioned", cookie.partitioned ?? false),
    persistent: aBoolean("cookie.persistent", cookie.persistent ?? false),
  };
  if (settings.sameSite === "none" && settings.secure === false) {
    refuse(
      "cookie.sameSite",
      "none",
      "browsers take it only with Secure, so set cookie.secure to true or leave it out",
    );
  }
  if (settings.partitioned && settings.secure === false) {
    refuse(
      "cookie.partitioned",
      true,
      "browsers take it only with Secure, so set cookie.secure to true or leave it out",
    );
  }
  return settings;
}

function cookieName(name: unknown): string {
  if (typeof name !== "string" || !/^[!#$%&'*+\-.^_`|~\w]+$/.test(name) || name.length > 128) {
    return refuse("cookie.name", name, "give up to 128 letters, digits and -._ characters (RFC 6265 §4.1.1)");
  }
  if (/^__(host|secure)-/i.test(name)) {
    return refuse("cookie.name", name, "leave the prefix out; it is added wherever the cookie is Secure");
  }
  return name;
}

function cookiePath(path: unknown): string {
  if (typeof path === "string" && /^\/[\x21-\x3a\x3c-\x7e]*$/.test(path)) return path;
  return refuse("cookie.path", path, `give a path that starts with "/"`);
}

function cookieDomain(domain: unknown): string | undefined {
  if (domain === undefined) return undefined;
  if (typeof domain === "string" && /^\.?([a-z\d]([a-z\d-]*[a-z\d])?\.)*[a-z\d]([a-z\d-]*[a-z\d])?$/i.test(domain))
    return domain;
  return refuse("cookie.domain", domain, `give a domain such as "example.com", or leave it out for this host alone`);
}
