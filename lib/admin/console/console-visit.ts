import type { IncomingMessage, ServerResponse } from "node:http";
import type { Session } from "../../session/session";
import type { SessionAdmin } from "../checked/session-admin";
import type { AuditTrail } from "./console-options";
import type { Html } from "./parts/html";

/** What is read of a request of Express's. */
export interface ConsoleRequest extends IncomingMessage {
  readonly baseUrl?: string;
  readonly body?: unknown;
  readonly ip?: string;
  readonly session?: Session | null;
}

/** What is used of a response of Express's. */
export interface ConsoleResponse extends ServerResponse {
  readonly locals?: Record<string, unknown>;
}

/** One request of a super-user. */
export interface ConsoleVisit {
  readonly admin: SessionAdmin;
  /** The session that asks. */
  readonly session: Session;
  /** The path that the console is mounted at, without a slash at its end. */
  readonly base: string;
  /** The path inside the console. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly title: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly auditTrail: AuditTrail | undefined;
  /** A key for a `requireSecurityKey` of the app's that stands before the console; undefined where none does. */
  readonly guardKey: () => Promise<string | undefined>;
}

/** What a route answers. */
export interface ConsoleAnswer {
  readonly status: number;
  readonly page: Html;
  readonly headers?: Readonly<Record<string, string>>;
}
