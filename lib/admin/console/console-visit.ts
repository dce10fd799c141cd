import type { IncomingMessage, ServerResponse } from "node:http";
import type { Session } from "../../session/session";
import type { SessionAdmin } from "../checked/session-admin";
import type { AuditTrail } from "./console-options";
import type { CountedTally } from "./kept-tally";
import type { Html } from "./parts/html";
import type { Frame } from "./parts/page-frame";

/** What the console reads of Express's request. */
export interface ConsoleRequest extends IncomingMessage {
  readonly baseUrl?: string;
  readonly body?: unknown;
  readonly ip?: string;
  readonly session?: Session | null;
}

/** What the console uses of Express's response. */
export interface ConsoleResponse extends ServerResponse {
  readonly locals?: Record<string, unknown>;
}

/** One request by a super-user. */
export interface ConsoleVisit {
  readonly admin: SessionAdmin;
  /** The super-user's own session. */
  readonly session: Session;
  /** The path that the console is mounted at, without a slash at its end. */
  readonly base: string;
  /** The path inside the console. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly frame: Frame;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly auditTrail: AuditTrail | undefined;
  /** How many sessions are live, by group. Where counting takes long, it may have been done a while ago. */
  readonly tally: () => Promise<CountedTally>;
  /** A security key for the app's own `requireSecurityKey` before the console; undefined where there is none. */
  readonly appSecurityKey: () => Promise<string | undefined>;
}

/** The answer to a request: a page, or the lines of a file, or nothing but headers. */
export interface ConsoleAnswer {
  readonly status: number;
  readonly page?: Html;
  readonly lines?: AsyncIterable<string>;
  readonly headers?: Readonly<Record<string, string>>;
}
