import type { IncomingMessage } from "node:http";
import type { FindQuery } from "../stores/store";
import type { EndedRecord, SessionRecord } from "../record/session-record";
import type { SessionPolicy } from "../session/life/session-policy";
import type { ExpressSessionStore } from "./express-session-store/express-session-store";
import type { SessionCookie } from "./cookie/session-cookie";
import type { Traffic } from "./traffic";

/** What the middleware works with: the rules of its `Sessions`, and how they meet HTTP. Durations in milliseconds. */
export interface HttpSettings extends SessionPolicy {
  readonly cookie: SessionCookie;
  /** Renew `lastSeenAt` at most this often. */
  readonly touchIntervalMs: number;
  /** The ids whose touch is under way: parallel requests of one session need one. */
  readonly touching: Set<string>;
  /** What clients have sent and no write has told the store yet. */
  readonly traffic: Traffic;
  /** Where a request's session is at home: `browser`, or what the app says. */
  readonly scopeOf: (req: IncomingMessage) => string;
  /** Whether plain HTTP may carry sessions. */
  readonly allowInsecure: boolean;
  /** What `req.sessionStore` gives. */
  readonly sessionStore: () => ExpressSessionStore;
  readonly find: (query: FindQuery) => AsyncIterable<SessionRecord | EndedRecord>;
  /** Something failed that no request answers for. */
  readonly onError: (error: unknown) => void;
  /** A session was changed after its response, and not saved. */
  readonly onLate: (error: Error) => void;
  /** A session was wanted on plain HTTP in production. */
  readonly onInsecure: () => void;
  /** Tells the operator something, the first time that it is found. */
  readonly warnOnce: (message: string) => void;
}
