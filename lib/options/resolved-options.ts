import type { IncomingMessage } from "node:http";
import type { AuditSink } from "../admin/checked/admin-audit";
import type { IsPasswordExpired, IsSuperUser } from "../admin/checked/admin-call";
import type { IsAuthorized } from "../admin/listing/session-reader";
import type { CookieSettings } from "../http/cookie/cookie-settings";
import type { CookieOptions, SessionOptions } from "./session-options";
import { aDuration, aDurationOrNone } from "./reader/duration-option";
import { FOREIGN_COOKIE_OPTIONS, FOREIGN_SESSION_OPTIONS } from "./reader/foreign-names";
import { aBoolean, aFunction, anObject, MAX_TIMER_MS, oneOf, stringList } from "./reader/option-kinds";
import { readOptions } from "./reader/read-options";
import type { OptionTable, ReadOption, ReadOptions } from "./reader/read-options";
import { refuse } from "./reader/refused-options";
import { secretsOption } from "./secrets-option";
import type { ExpiryPolicy } from "../record/expiry";
import { CLIENTLESS_SCOPE } from "../record/clientless-scope";
import { isProjectName } from "../record/project-name";
import { UNAUTHENTICATED } from "../record/session-record";
import { clearJobRoom } from "../rooms-on-demand";
import type { UserOf } from "../session/session-owner";
import { storeOption } from "./store-option";
import type { SessionStore } from "../stores/store";

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
  /** Undefined: what passport says, where it is at work. */
  readonly userOf: UserOf | undefined;
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

const MINUTE = 60_000;
/** Every quarter of an hour. */
export const DEFAULT_SCHEDULE = "*/15 * * * *";
/** Of what takes moments, ten seconds are a usual number: only what lasts no tenth of one was meant as seconds. */
const MOMENTS = { max: MAX_TIMER_MS, likelyMs: 100 };

const no = () => false;
const hasOwner: IsAuthorized = ({ username }) => username !== UNAUTHENTICATED;

const ENTRIES = {
  store: storeOption,
  cookie: anObject('{ sameSite: "strict" }'),
  idleTimeout: aDuration("1h", { infinite: true }),
  absoluteTimeout: aDuration("24h", { infinite: true }),
  rememberTimeout: aDuration("30d"),
  touchInterval: aDurationOrNone(),
  keepOnLogin: stringList(["language"]),
  keepOnLogout: stringList(["language"]),
  keepEnded: aDuration("24h", { zero: true }),
  clearSchedule: (value = DEFAULT_SCHEDULE) => (value === false ? value : checkedSchedule(value)),
  secrets: secretsOption,
  userOf: aFunction<UserOf | undefined>("(session)", undefined),
  isSuperUser: aFunction<IsSuperUser>("(user)", no),
  isPasswordExpired: aFunction<IsPasswordExpired>("(user)", no),
  isAuthorized: aFunction<IsAuthorized>("(session)", hasOwner),
  audit: aFunction<AuditSink | undefined>("(entry)", undefined),
  maxSessionsPerUser: sessionsPerUser,
  project: projectName,
  scope: scopeFunction,
  storeTimeout: aDuration("5s", MOMENTS),
  maxBytes: recordBytes,
  leaseTimeout: aDuration("15m", { max: MAX_TIMER_MS }),
  killCheckInterval: aDuration("5s", MOMENTS),
  now: aFunction("no arguments that returns milliseconds", Date.now),
} satisfies Record<keyof SessionOptions, ReadOption<unknown>>;

const SESSION_OPTIONS: OptionTable<typeof ENTRIES> = {
  example: '{ idleTimeout: "1h" }',
  entries: ENTRIES,
  foreign: FOREIGN_SESSION_OPTIONS,
};

type SessionOptionValues = ReadOptions<typeof ENTRIES>;

/** Reads and checks all options: `SESSION_CONFIG` tells all that is wrong. */
export function resolveOptions(options: SessionOptions = {}): ResolvedOptions {
  const read = readOptions(
    SESSION_OPTIONS,
    options,
    ({ touchInterval, idleTimeout }) => assertTouchInterval(touchInterval, idleTimeout),
    ({ touchInterval, idleTimeout, rememberTimeout }) =>
      assertRememberTimeout(rememberTimeout, touchIntervalOf(touchInterval, idleTimeout)),
    ({ cookie: given, project }) => void cookieSettings(given, project ?? ""),
  );
  return resolved(read, cookieSettings(read.cookie, read.project));
}

function resolved(read: SessionOptionValues, cookie: CookieSettings): ResolvedOptions {
  const { idleTimeout, absoluteTimeout, rememberTimeout, touchInterval, keepEnded, storeTimeout } = read;
  const { leaseTimeout, killCheckInterval, scope, ...others } = read;
  return {
    ...others,
    cookie,
    limits: { idleMs: idleTimeout, absoluteMs: absoluteTimeout },
    rememberMs: rememberTimeout,
    touchIntervalMs: touchIntervalOf(touchInterval, idleTimeout),
    keepEndedMs: keepEnded,
    scopeOf: scope,
    storeTimeoutMs: storeTimeout,
    leaseMs: leaseTimeout,
    killCheckMs: killCheckInterval,
  };
}

function sessionsPerUser(max: unknown = Infinity, option: string): number {
  if (max === Infinity || (Number.isSafeInteger(max) && (max as number) >= 1)) return max as number;
  return refuse(option, max, "give a whole number, 1 or more, or leave it out for no limit");
}

function recordBytes(max: unknown = 512 * 1024, option: string): number {
  if (Number.isSafeInteger(max) && (max as number) >= 1024) return max as number;
  return refuse(option, max, "give a whole number of bytes, 1024 or more");
}

function projectName(project: unknown = "", option: string): string {
  if (isProjectName(project)) return project;
  return refuse(option, project, "give up to 64 letters, digits, '-', '_' and '.'");
}

/** The app's own function, of which nothing but a string is stored. */
function scopeFunction(scope: unknown = "browser", option: string): (req: IncomingMessage) => string {
  if (typeof scope === "string") {
    const name = scopeName(scope);
    return () => name;
  }
  if (typeof scope !== "function") return refuse(option, scope, "give a function of (req), or a string");
  return (req) => {
    const name = (scope as (req: IncomingMessage) => unknown)(req);
    return typeof name === "string" ? scopeName(name) : refuse("scope", name, "its function must return a string");
  };
}

/** A cookie never opens a clientless session, so a browser's session can't be one. */
function scopeName(name: string): string {
  return name === CLIENTLESS_SCOPE ? refuse("scope", name, "choose another name for what has a client") : name;
}

/** A tenth of a short `idleTimeout`, and five minutes otherwise. */
function touchIntervalOf(given: number | undefined, idleMs = Infinity): number {
  return given ?? Math.min(5 * MINUTE, idleMs / 10);
}

function assertTouchInterval(given: number | undefined, idleMs = Infinity): void {
  if (given === undefined || given < idleMs) return;
  refuse("touchInterval", given, `it must be less than idleTimeout, which is ${idleMs} ms`);
}

function assertRememberTimeout(given: number | undefined, touchIntervalMs: number): void {
  if (given === undefined || given > touchIntervalMs) return;
  refuse("rememberTimeout", given, `it must be more than touchInterval, which is ${touchIntervalMs} ms`);
}

/** A cron expression; anything else is refused. */
export function checkedSchedule(schedule: unknown): string {
  // Known to be one, so node-cron is not loaded for it.
  if (schedule === DEFAULT_SCHEDULE) return DEFAULT_SCHEDULE;
  if (typeof schedule === "string" && clearJobRoom().isSchedule(schedule)) return schedule;
  return refuse("clearSchedule", schedule, `give a cron expression such as "*/15 * * * *", or false`);
}

const COOKIE_ENTRIES = {
  name: (value) => (value === undefined ? undefined : cookieName(value)),
  path: (value = "/") => cookiePath(value),
  domain: cookieDomain,
  sameSite: sameSiteOption,
  secure: (value = "auto", option) => oneOf(option, value, [true, false, "auto"] as const),
  priority: (value, option) => oneOf(option, value, ["low", "medium", "high"] as const),
  partitioned: aBoolean(false),
  persistent: aBoolean(false),
  prefix: aBoolean(true),
} satisfies Record<keyof CookieOptions, ReadOption<unknown>>;

const SECURE_ONLY = "browsers take it only with Secure, so set cookie.secure to true or leave it out";

const COOKIE_TABLE: OptionTable<typeof COOKIE_ENTRIES> = {
  prefix: "cookie.",
  example: '{ sameSite: "strict" }',
  entries: COOKIE_ENTRIES,
  foreign: FOREIGN_COOKIE_OPTIONS,
};

function cookieSettings(given: object | undefined, project: string): CookieSettings {
  const read = readOptions(
    COOKIE_TABLE,
    given,
    ({ sameSite, secure }) => {
      if (sameSite === "none" && secure === false) refuse("cookie.sameSite", sameSite, SECURE_ONLY);
    },
    ({ partitioned, secure }) => {
      if (partitioned === true && secure === false) refuse("cookie.partitioned", partitioned, SECURE_ONLY);
    },
  );
  // Given as undefined, it is left out.
  const isLax = given === undefined || !Object.hasOwn(given, "sameSite");
  const byProject = project === "" ? "sid" : `sid-${project}`;
  return { ...read, name: read.name ?? byProject, sameSite: isLax ? "lax" : read.sameSite };
}

function sameSiteOption(value: unknown, option: string): "strict" | "lax" | "none" | undefined {
  if (typeof value !== "boolean") return oneOf(option, value, ["strict", "lax", "none"]);
  const meant = value ? `true elsewhere is "strict"` : "false elsewhere is undefined";
  return refuse(option, value, `it is one of 'strict', 'lax', 'none', and ${meant}`);
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
