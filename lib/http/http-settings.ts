import type { IncomingMessage } from "node:http";
import type { FindQuery } from "../stores/store";
import type { EndedRecord, SessionRecord } from "../record/session-record";
import type { SessionPolicy } from "../session/life/session-policy";
import type { Adopt } from "../session/adopted-session";
import type { Announcer } from "../session/session-events";
import { CookieSignature } from "./cookie/cookie-signature";
import { SessionCookie } from "./cookie/session-cookie";
import type { CookieSettings } from "./cookie/session-cookie";
import type { ExpressSessionStore } from "./express-session-store/express-session-store";
import type { Traffic } from "./traffic";

const CLAIMED =
  "A websocket came with a cookie that only HTTPS sets, but nothing else says that it came over HTTPS; the cookie was trusted. Behind a proxy that terminates HTTPS, set app.set('trust proxy', 1) in the app of this server, or set cookie.secure to true.";
const INSECURE =
  "No session is created on plain HTTP in production. Behind a proxy that terminates HTTPS, set app.set('trust proxy', 1); without HTTPS, set cookie.secure to false.";

/** How other libraries' sessions are taken over. */
export interface AdoptSettings {
  readonly ask: Adopt;
  /** What our tokens are derived with. */
  readonly secret: string;
  /** How long a callback of the app may take, in milliseconds. */
  readonly timeoutMs: number;
}

/** What the middleware works with: the rules of its `Sessions`, and how they meet HTTP. Durations in milliseconds. */
export interface HttpSettings extends SessionPolicy {
  readonly cookie: SessionCookie;
  /** Renew `lastSeenAt` at most this often. */
  readonly touchIntervalMs: number;
  /** The ids whose touch is under way: parallel requests of one session need only one touch. */
  readonly touching: Set<string>;
  /** The bytes that clients have sent and that are not in the store yet. */
  readonly traffic: Traffic;
  /** Whether a request does not count as activity. Absent where all do. */
  isNoActivity?: (req: IncomingMessage) => boolean;
  /** Absent where no other library's sessions are taken over. */
  readonly adoption?: AdoptSettings;
  /** The scope of a request's session: `browser`, or what the app says. */
  readonly scopeOf: (req: IncomingMessage) => string;
  /** Whether plain HTTP may carry sessions. */
  readonly allowInsecure: boolean;
  /** What `req.sessionStore` gives. */
  readonly sessionStore: () => ExpressSessionStore;
  readonly find: (query: FindQuery) => AsyncIterable<SessionRecord | EndedRecord>;
  /** Takes a failure that no request fails with. */
  readonly onError: (error: unknown) => void;
  /** A session was changed after its response, and not saved. */
  readonly onLate: (error: Error) => void;
  /** A session was wanted on plain HTTP in production. */
  readonly onInsecure: () => void;
  /** Warns the operator, once for each message. */
  readonly warnOnce: (message: string) => void;
}

/** What the middleware's settings are made of: options of `Sessions`, and what belongs to it. */
export interface HttpSource extends Pick<
  HttpSettings,
  "touchIntervalMs" | "scopeOf" | "traffic" | "find" | "sessionStore"
> {
  readonly cookie: CookieSettings;
  readonly secrets: readonly string[];
  readonly adopt: Adopt | undefined;
  readonly storeTimeoutMs: number;
  readonly announcer: Announcer;
  readonly afterLogin: SessionPolicy["afterLogin"];
}

export function httpSettings(policy: SessionPolicy, source: HttpSource): HttpSettings {
  const { cookie, secrets, announcer, afterLogin, touchIntervalMs, scopeOf, traffic, find, sessionStore } = source;
  const [secret] = secrets;
  const signature = secrets.length > 0 ? new CookieSignature(secrets) : undefined;
  const allowInsecure = cookie.secure === false || process.env.NODE_ENV !== "production";
  const onClaimed = () => announcer.warnOnce(CLAIMED, "SESSION_INSECURE");
  return {
    ...policy,
    ...(afterLogin === undefined ? undefined : { afterLogin }),
    ...(source.adopt === undefined || secret === undefined
      ? undefined
      : { adoption: { ask: source.adopt, secret, timeoutMs: source.storeTimeoutMs } }),
    ...{ touchIntervalMs, scopeOf, traffic, find, sessionStore, allowInsecure },
    touching: new Set(),
    cookie: new SessionCookie(cookie, signature, { allowInsecure, onClaimed }),
    onError: (error) => announcer.error(error),
    onLate: (error) => announcer.late(error),
    onInsecure: () => announcer.warnOnce(INSECURE, "SESSION_INSECURE"),
    warnOnce: (message) => announcer.warnOnce(message),
  };
}
