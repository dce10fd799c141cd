import type { IncomingMessage } from "node:http";
import type { AuditSink } from "../admin/checked/admin-audit";
import type { IsPasswordExpired, IsSuperUser } from "../admin/checked/admin-call";
import type { IsAuthorized } from "../admin/listing/session-reader";
import { MAX_TIMER_MS } from "../record/duration";
import type { Duration } from "../record/duration";
import { UNAUTHENTICATED } from "../record/session-record";
import type { Adopt } from "../session/adopted-session";
import type { UserOf } from "../session/session-owner";
import type { SessionStore } from "../stores/store";
import { cookieOption } from "./cookie-options";
import type { CookieOptions } from "./cookie-options";
import { aProject, aSchedule, aScope, aSecretList, aStore, DEFAULT_SCHEDULE } from "./option-checks";
import { aClock, aDuration, aDurationOrNone, aFunction, aWholeNumber, stringList } from "./reader/option-kinds";
import { readOptions, refuse } from "./reader/read-options";
import type { Option, OptionTable } from "./reader/read-options";

/**
 * The options of `sessionMiddleware` and `Sessions`. All are optional; they are read and checked once. A `Duration` is
 * a number of milliseconds or a string such as `"90s"`, `"15m"` or `"30d"`.
 */
export interface SessionOptions {
  /**
   * Where sessions are kept. Default by environment: what `COATCHECK_STORE` names (`redis://…`, `rediss://…`,
   * `postgres://…`, `sqlite:./.sessions`, `datastore:`); without it `DatastoreStore` where `DATASTORE_EMULATOR_HOST`,
   * `DATASTORE_PROJECT_ID`, or Cloud Run's or App Engine's own variables are set, otherwise `SqliteStore` in
   * `./.sessions`.
   */
  readonly store?: SessionStore;
  /** How the session cookie is set; each of its options has its own default. */
  readonly cookie?: CookieOptions;
  /** The longest gap between two requests. Default `"1h"`. */
  readonly idleTimeout?: Duration;
  /** The longest life, which activity does not extend. Default `"24h"`; `Infinity` turns it off. */
  readonly absoluteTimeout?: Duration;
  /** Both limits of a session that was logged in with `remember: true`. Default `"30d"`. */
  readonly rememberTimeout?: Duration;
  /**
   * Renew `lastSeenAt` at most this often; less than `idleTimeout`. A session may end this much before its idle limit.
   * Default `"5m"`, or a tenth of an `idleTimeout` that is shorter than 50 minutes.
   */
  readonly touchInterval?: Duration;
  /** The keys that survive a login. Default `["language"]`. */
  readonly keepOnLogin?: readonly string[];
  /** The keys that survive a logout. Default `["language"]`. */
  readonly keepOnLogout?: readonly string[];
  /** How long an ended session still says who ended it, when and why. Default `"24h"`; `0` deletes it at once. */
  readonly keepEnded?: Duration;
  /**
   * When to clear sessions that are over: a cron expression, in UTC. Default every 15 minutes; `false` turns the job
   * off.
   */
  readonly clearSchedule?: string | false;
  /**
   * At least 32 bytes each, newest first: the newest signs cookies and encrypts attributes, all are accepted. Default
   * none: nothing is signed or encrypted.
   */
  readonly secrets?: readonly string[];
  /**
   * Returns the user of a session, read from its data. Default: the user that passport keeps there, on requests that
   * its middleware has seen.
   */
  readonly userOf?: UserOf;
  /**
   * Called once for a request without a session of ours: returns another library's session that the request carries, as
   * `{ id, data, user, remember, ended }`; `{ id }` where that session is gone; or undefined. May be async. A session
   * of ours takes over, and then `ended` is called to end the old one. Needs `secrets`. Where it fails, or takes longer
   * than `storeTimeout`, the request fails. Default none.
   */
  readonly adopt?: Adopt;
  /**
   * Whether a user may see and end everybody's sessions through `Sessions.admin`; may be async. Default: nobody may.
   */
  readonly isSuperUser?: IsSuperUser;
  /**
   * Whether a user's password has expired; `Sessions.admin` then shows nothing of that user's sessions, and renews
   * none. May be async. Default: no.
   */
  readonly isPasswordExpired?: IsPasswordExpired;
  /**
   * Returns `authorized` of a live session's `SessionInfo`, whenever that is read; may be async. Default: whether the
   * session belongs to somebody.
   */
  readonly isAuthorized?: IsAuthorized;
  /**
   * Called with an entry for each call of `Sessions.admin`, allowed or not. What it throws is emitted as `error`.
   * Default none.
   */
  readonly audit?: AuditSink;
  /** The most sessions that one user may have at a time: a login beyond that ends the oldest. Default `Infinity`. */
  readonly maxSessionsPerUser?: number;
  /** The name of this app, where several share a store: up to 64 letters, digits, `-`, `_` and `.`. Default `""`. */
  readonly project?: string;
  /** Where a session is used, or a function that returns it for a request. Default `"browser"`. */
  readonly scope?: string | ((req: IncomingMessage) => string);
  /** How long one store operation may take. Default `"5s"`. */
  readonly storeTimeout?: Duration;
  /** The largest record, in bytes. Default 512 KiB; a larger record may still shrink. */
  readonly maxBytes?: number;
  /**
   * How long a clientless session outlives the process that keeps it open (`withClientlessSession`, `await using`).
   * Default `"15m"`.
   */
  readonly leaseTimeout?: Duration;
  /**
   * How often the store is asked whether sessions have ended elsewhere: those with open pages (`sessionPages`), those
   * whose `signal` somebody has, and clientless ones with running tasks. Default `"5s"`.
   */
  readonly killCheckInterval?: Duration;
  /** The clock, for tests: milliseconds since the epoch. Default `Date.now`. */
  readonly now?: () => number;
}

/** The options as everything else reads them: checked, with defaults, durations in milliseconds. */
export type ResolvedOptions = ReturnType<typeof resolveOptions>;

const MINUTE = 60_000;
/**
 * For durations of moments: ten seconds are usual, so only a number below a tenth of one was probably meant as seconds.
 */
const MOMENTS = { max: MAX_TIMER_MS, likelyMs: 100 };

const no = () => false;
const hasOwner: IsAuthorized = ({ username }) => username !== UNAUTHENTICATED;

const ALWAYS_SAVED = "leave it out: a session is stored once something is put into it, and then only what changes";
const LIFE = `write idleTimeout: "30m" and absoluteTimeout: "24h"`;
const TOUCH_INTERVAL = 'write touchInterval: "5m"';
const SCHEDULE = 'write clearSchedule: "*/15 * * * *"';
const SECRETS = "write secrets: [secret, …], the newest first";
const STORE = "write store: new …Store()";
const inCookie = (name: string, value: string) => `write cookie: { ${name}: ${value} }`;
const COOKIE_NAME = inCookie("name", '"sid"');
const COOKIE_DOMAIN = inCookie("domain", '"example.com"');

/**
 * An entry is an option: its default, its check, what it is called once it is read, and which names it goes by in
 * express-session, cookie-session, iron-session, better-auth and their stores.
 */
const ENTRIES = {
  store: {
    read: aStore,
    foreign: {
      secondaryStorage: STORE,
      database: STORE,
      client: "give it to the store: store: new …Store({ … })",
    },
  },
  cookie: {
    read: cookieOption,
    foreign: {
      ...{ name: COOKIE_NAME, key: COOKIE_NAME, cookieName: COOKIE_NAME, cookiePrefix: COOKIE_NAME },
      ...{ domain: COOKIE_DOMAIN, crossSubDomainCookies: COOKIE_DOMAIN },
      ...{ secure: inCookie("secure", '"auto"'), useSecureCookies: inCookie("secure", "true") },
      sameSite: inCookie("sameSite", '"lax"'),
      path: `${inCookie("path", '"/"')}, or, for the folder, store: new SqliteStore({ path })`,
      ...{ cookieOptions: "write cookie: { … }", defaultCookieAttributes: "write cookie: { … }" },
      httpOnly: "leave it out: the cookie is always HttpOnly",
    },
  },
  idleTimeout: {
    read: aDuration("1h", { infinite: true }),
    as: "idleMs",
    foreign: {
      ...{ maxAge: LIFE, expires: LIFE, ttl: LIFE },
      rolling: "leave it out: idleTimeout starts over with each request, and absoluteTimeout never does",
    },
  },
  absoluteTimeout: {
    read: aDuration("24h", { infinite: true }),
    as: "absoluteMs",
    foreign: { expiresIn: `write absoluteTimeout: "7d"; ${LIFE}` },
  },
  rememberTimeout: { read: aDuration("30d"), as: "rememberMs" },
  touchInterval: {
    // Its default follows from idleTimeout: `touchIntervalOf`.
    read: aDurationOrNone(),
    as: "touchIntervalMs",
    foreign: {
      ...{ updateAge: TOUCH_INTERVAL, touchAfter: TOUCH_INTERVAL },
      disableTouch: `${TOUCH_INTERVAL}, which says how often idleTimeout is renewed in the store`,
    },
  },
  keepOnLogin: { read: stringList(["language"]) },
  keepOnLogout: { read: stringList(["language"]) },
  keepEnded: { read: aDuration("24h", { zero: true }), as: "keepEndedMs" },
  clearSchedule: {
    read: aSchedule(DEFAULT_SCHEDULE),
    foreign: { checkPeriod: SCHEDULE, reapInterval: SCHEDULE, pruneSessionInterval: SCHEDULE },
  },
  secrets: {
    read: aSecretList,
    foreign: {
      secret: "did you mean secrets? It is an array, the newest first: secrets: [secret]",
      ...{ keys: SECRETS, password: SECRETS },
      signed: "leave it out: the option secrets signs the cookie",
    },
  },
  // Undefined: what passport says, where it is at work.
  userOf: { read: aFunction<UserOf | undefined>("(session)", undefined) },
  adopt: { read: aFunction<Adopt | undefined>("(req)", undefined) },
  isSuperUser: { read: aFunction<IsSuperUser>("(user)", no) },
  isPasswordExpired: { read: aFunction<IsPasswordExpired>("(user)", no) },
  isAuthorized: { read: aFunction<IsAuthorized>("(session)", hasOwner) },
  audit: { read: aFunction<AuditSink | undefined>("(entry)", undefined) },
  maxSessionsPerUser: {
    read: aWholeNumber(Infinity, 1, "give a whole number, 1 or more, or leave it out for no limit"),
  },
  project: {
    read: aProject(""),
    foreign: { prefix: 'write project: "shop", which keeps the sessions of several apps in one store apart' },
  },
  scope: { read: aScope("browser"), as: "scopeOf" },
  storeTimeout: { read: aDuration("5s", MOMENTS), as: "storeTimeoutMs" },
  maxBytes: { read: aWholeNumber(512 * 1024, 1024, "give a whole number of bytes, 1024 or more") },
  leaseTimeout: { read: aDuration("15m", { max: MAX_TIMER_MS }), as: "leaseMs" },
  killCheckInterval: { read: aDuration("5s", MOMENTS), as: "killCheckMs" },
  now: { read: aClock },
} as const satisfies Record<keyof SessionOptions, Option>;

const SESSION_OPTIONS: OptionTable<typeof ENTRIES> = {
  example: '{ idleTimeout: "1h" }',
  options: ENTRIES,
  foreign: {
    ...{ resave: ALWAYS_SAVED, saveUninitialized: ALWAYS_SAVED },
    genid: "leave it out: tokens are 32 random bytes, which are made here",
    proxy: 'write app.set("trust proxy", 1), which Express and this library both follow',
    unset: "leave it out: req.session = null ends the session",
    session: "write its options at the top, outside session",
    freshAge: "leave it out: session.meta.createdAt says when the user signed in",
    cookieCache:
      "leave it out: nothing is read from the cookie but the token, so that a session that was ended is over",
    serializer: "leave it out: values come back as they went in",
  },
};

/** Reads and checks all options: `SESSION_CONFIG` names everything that is wrong. */
export function resolveOptions(given: SessionOptions = {}) {
  const { idleMs, absoluteMs, ...read } = readOptions(
    SESSION_OPTIONS,
    given,
    (options) => assertAdoptSecret(options.adopt, options.secrets),
    (options) => assertTouchInterval(options.touchIntervalMs, options.idleMs),
    (options) => assertRememberTimeout(options.rememberMs, touchIntervalOf(options.touchIntervalMs, options.idleMs)),
  );
  const { name = read.project === "" ? "sid" : `sid-${read.project}` } = read.cookie;
  return {
    ...read,
    cookie: { ...read.cookie, name },
    limits: { idleMs, absoluteMs },
    touchIntervalMs: touchIntervalOf(read.touchIntervalMs, idleMs),
  };
}

/** A tenth of a short `idleTimeout`, and five minutes otherwise. */
function touchIntervalOf(given: number | undefined, idleMs = Infinity): number {
  return given ?? Math.min(5 * MINUTE, idleMs / 10);
}

function assertAdoptSecret(given: Adopt | undefined, secrets: readonly string[] | undefined): void {
  if (given === undefined || secrets === undefined || secrets.length > 0) return;
  refuse(
    "adopt",
    given,
    "it needs secrets, so that nobody can derive our token from an old session's id; write secrets: [secret]",
  );
}

function assertTouchInterval(given: number | undefined, idleMs = Infinity): void {
  if (given === undefined || given < idleMs) return;
  refuse("touchInterval", given, `it must be less than idleTimeout, which is ${idleMs} ms`);
}

function assertRememberTimeout(given: number | undefined, touchIntervalMs: number): void {
  if (given === undefined || given > touchIntervalMs) return;
  refuse("rememberTimeout", given, `it must be more than touchInterval, which is ${touchIntervalMs} ms`);
}
