import { inspect } from "node:util";
import { SessionError } from "../../errors";
import type { AuditEntry } from "../admin-audit";
import type { AdminRequest } from "../admin-context";
import type { SessionAdmin } from "../session-admin";

/** The sessions that a console is about; `Sessions` is one. */
export interface ConsoleSessions {
  admin(req: AdminRequest): SessionAdmin;
}

/** Answers what the audit has on a session, in any order; may be async. */
export type AuditTrail = (sessionId: string) => readonly AuditEntry[] | Promise<readonly AuditEntry[]>;

/** The options of `sessionConsole`; they are checked once. */
export interface ConsoleOptions {
  /** Whose sessions. Default: those that the plain functions act on. */
  readonly sessions?: ConsoleSessions;
  /** Reads back what the `audit` option has written, for the page of a session. Default: that page shows no audit. */
  readonly auditTrail?: AuditTrail;
  /** What the pages are headed with: up to 80 characters. Default `"Sessions"`. */
  readonly title?: string;
}

/** The options with their defaults. */
export interface ConsoleSettings {
  readonly sessions: () => ConsoleSessions;
  readonly auditTrail: AuditTrail | undefined;
  readonly title: string;
}

const OPTIONS = ["sessions", "auditTrail", "title"];
const MAX_TITLE_LENGTH = 80;

/** Reads and checks the options: `SESSION_CONFIG` names the first that is wrong. */
export function readConsoleOptions(given: ConsoleOptions, byDefault: () => ConsoleSessions): ConsoleSettings {
  if (typeof given !== "object" || (given as unknown) === null) refuse("options", given, "give an object, or nothing");
  const unknown = Object.keys(given).find((name) => !OPTIONS.includes(name));
  if (unknown !== undefined) {
    throw new SessionError(
      "SESSION_CONFIG",
      `sessionConsole: there is no option ${unknown}; the options are ${OPTIONS.join(", ")}.`,
    );
  }
  const { sessions, auditTrail, title = "Sessions" } = given;
  if (sessions !== undefined && !hasAdmin(sessions)) {
    refuse("sessions", sessions, "give the .sessions of what sessionMiddleware() returned, or new Sessions()");
  }
  if (!isFunction(auditTrail) && auditTrail !== undefined) refuse("auditTrail", auditTrail, "give a function of (id)");
  if (typeof title !== "string" || title.trim() === "" || title.length > MAX_TITLE_LENGTH) {
    refuse("title", title, `give a text of up to ${MAX_TITLE_LENGTH} characters`);
  }
  return { sessions: sessions === undefined ? byDefault : () => sessions, auditTrail, title };
}

function hasAdmin(given: unknown): boolean {
  return typeof given === "object" && given !== null && "admin" in given && isFunction(given.admin);
}

function isFunction(given: unknown): boolean {
  return typeof given === "function";
}

function refuse(option: string, value: unknown, instead: string): never {
  const echo = inspect(value, { depth: 0, maxStringLength: 100 });
  throw new SessionError("SESSION_CONFIG", `sessionConsole: ${option} can't be ${echo}; ${instead}.`);
}
