import type { IncomingMessage } from "node:http";
import type { AuditSink } from "../admin/checked/admin-audit";
import type { IsPasswordExpired, IsSuperUser } from "../admin/checked/admin-call";
import type { IsAuthorized } from "../admin/listing/session-reader";
import type { Duration } from "../record/duration";
import type { UserOf } from "../session/session-owner";
import type { SessionStore } from "../stores/store";

export type { Duration };

/** How the session cookie is set. It is always HttpOnly. */
export interface CookieOptions {
  /** Its name, to which HTTPS adds `__Host-` or `__Secure-`. Default `"sid"`, or `"sid-<project>"`. */
  readonly name?: string;
  /**
   * Whether HTTPS adds `__Host-` or `__Secure-` to the name, so that no subdomain and no plain HTTP can plant a cookie. Default true; false where something
   * on the way passes one name only, as Firebase Hosting does (`__session`). Secure all the same.
   */
  readonly prefix?: boolean;
  /** Default `"/"`. */
  readonly path?: string;
  /** Hosts below this domain get the cookie too. Default none: this host alone. */
  readonly domain?: string;
  /** Default `"lax"`; `undefined` leaves the attribute out. */
  readonly sameSite?: "strict" | "lax" | "none" | undefined;
  /**
   * Default `"auto"`: Secure where the request came over HTTPS, which behind a proxy takes Express's `trust proxy`. `true`: always; in production
   * plain HTTP gets no session all the same. `false`: never, and plain HTTP gets one.
   */
  readonly secure?: boolean | "auto";
  /** Default none. */
  readonly priority?: "low" | "medium" | "high";
  /** Default false. (CHIPS) */
  readonly partitioned?: boolean;
  /** Whether the cookie outlives the browser, until the session's absolute limit. Default false. */
  readonly persistent?: boolean;
}

/** The options of `sessionMiddleware` and `Sessions`. All are optional; they are read and checked once. */
export interface SessionOptions {
  /**
   * Where sessions are kept. Default by environment: `DatastoreStore` where `DATASTORE_EMULATOR_HOST`, `DATASTORE_PROJECT_ID`, or
   * Cloud Run's or App Engine's own variables are set, otherwise `SqliteStore` in `./.sessions`.
   */
  readonly store?: SessionStore;
  readonly cookie?: CookieOptions;
  /** The longest gap between two requests. Default `"1h"`. */
  readonly idleTimeout?: Duration;
  /** The longest whole life, which activity does not extend. Default `"24h"`; `Infinity` turns it off. */
  readonly absoluteTimeout?: Duration;
  /** Both limits of a session that was logged in with `remember: true`. Default `"30d"`. */
  readonly rememberTimeout?: Duration;
  /** Renew `lastSeenAt` at most this often; less than `idleTimeout`. A session may end this much before its idle limit. Default `"5m"`, or a tenth of a shorter `idleTimeout`. */
  readonly touchInterval?: Duration;
  /** The keys that survive a login. Default `["language"]`. */
  readonly keepOnLogin?: readonly string[];
  /** The keys that survive a logout. Default `["language"]`. */
  readonly keepOnLogout?: readonly string[];
  /** How long an ended session still says who, when and why. Default `"24h"`; `0` deletes at once. */
  readonly keepEnded?: Duration;
  /** When to clear what is over, as a cron expression, in UTC. Default every 15 minutes; `false` turns the job off. */
  readonly clearSchedule?: string | false;
  /** At least 32 bytes each, newest first: the newest signs cookies and encrypts attributes, all are accepted. Default none: neither is done. */
  readonly secrets?: readonly string[];
  /** Tells a session's user from its data. Default: what passport keeps there, on requests that its middleware has seen. */
  readonly userOf?: UserOf;
  /** Whether a user may look at and end everybody's sessions through `Sessions.admin`; may be async. Default nobody may. */
  readonly isSuperUser?: IsSuperUser;
  /** Whether a user's password has expired; `Sessions.admin` then tells nothing of that user's sessions, and renews none. May be async. Default no. */
  readonly isPasswordExpired?: IsPasswordExpired;
  /** Tells `authorized` of a live session's `SessionInfo`, whenever that is read; may be async. Default: it belongs to somebody. */
  readonly isAuthorized?: IsAuthorized;
  /** Is given an entry for each call of `Sessions.admin`, allowed or not. What it throws is emitted as `error`. Default none. */
  readonly audit?: AuditSink;
  /** The most sessions that one user has here at a time: a login over it ends the oldest. Default `Infinity`. */
  readonly maxSessionsPerUser?: number;
  /** The name of this app, where several share a store: up to 64 letters, digits, `-`, `_` and `.`. Default `""`. */
  readonly project?: string;
  /** Where a session runs, or a function that tells it by the request. Default `"browser"`. */
  readonly scope?: string | ((req: IncomingMessage) => string);
  /** How long one store operation may take. Default `"5s"`. */
  readonly storeTimeout?: Duration;
  /** The largest record, in bytes. Default 512 KiB; what is over it may still shrink. */
  readonly maxBytes?: number;
  /** How long a clientless session outlives the process that holds it (`withClientlessSession`, `await using`). Default `"15m"`. */
  readonly leaseTimeout?: Duration;
  /** How often a clientless session with running tasks is looked at, so that a kill from elsewhere stops them. Default `"5s"`. */
  readonly killCheckInterval?: Duration;
  /** The clock, for tests: milliseconds since the epoch. Default `Date.now`. */
  readonly now?: () => number;
}
