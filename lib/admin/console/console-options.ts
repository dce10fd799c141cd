import { aFunction, aText, instanceOr } from "../../options/reader/option-kinds";
import { readOptions, refuse } from "../../options/reader/read-options";
import type { Option, OptionTable } from "../../options/reader/read-options";
import type { AuditEntry } from "../checked/admin-audit";
import type { AdminRequest } from "../checked/admin-context";
import type { SessionAdmin } from "../checked/session-admin";

/** The sessions that a console shows: a `Sessions`. */
export interface ConsoleSessions {
  /** The administration on behalf of the user who made this request. */
  admin(req: AdminRequest): SessionAdmin;
}

/** Returns the audit's entries about a session, in any order; may be async. */
export type AuditTrail = (sessionId: string) => readonly AuditEntry[] | Promise<readonly AuditEntry[]>;

/** The options of `sessionConsole`; they are checked once. */
export interface ConsoleOptions {
  /** The sessions to show. Default: those that the plain functions act on. */
  readonly sessions?: ConsoleSessions;
  /** Reads back what the `audit` option wrote, for a session's page. Default: that page shows no audit. */
  readonly auditTrail?: AuditTrail;
  /** The title of the pages: up to 80 characters. Default `"Sessions"`. */
  readonly title?: string;
  /** The path of the app that "Back to the app" leads to, and the console's own sign-out; false for no link. Default `"/"`. */
  readonly home?: string | false;
  /**
   * The path of the app's own sign-out, which takes a POST; false for no button. Default: the console's own, which ends
   * the session and goes to `home`.
   */
  readonly signOut?: string | false;
}

/** The options with their defaults. */
export interface ConsoleSettings {
  readonly sessions: () => ConsoleSessions;
  readonly auditTrail: AuditTrail | undefined;
  readonly title: string;
  readonly home: string | undefined;
  /** False for none, undefined for the console's own. */
  readonly signOut: string | false | undefined;
}

const MAX_TITLE_LENGTH = 80;

const ENTRIES = {
  sessions: { read: sessionsOption, foreign: { store: "write sessions: new Sessions({ store })" } },
  auditTrail: {
    read: aFunction<AuditTrail | undefined>("(id)", undefined),
    foreign: { audit: "write it in the options of sessionMiddleware, and auditTrail here, which reads it back" },
  },
  title: {
    read: aText(
      "Sessions",
      (title) => title.trim() !== "" && title.length <= MAX_TITLE_LENGTH,
      `give a string of up to ${MAX_TITLE_LENGTH} characters`,
    ),
  },
  home: { read: (given, option) => localPath(given ?? "/", option) || undefined },
  signOut: {
    read: (given, option) => (given === undefined ? undefined : localPath(given, option)),
    foreign: { logout: "write signOut", signout: "write signOut" },
  },
} as const satisfies Record<keyof ConsoleOptions, Option>;

const CONSOLE_OPTIONS: OptionTable<typeof ENTRIES> = {
  of: "sessionConsole",
  example: '{ title: "Who is here" }',
  options: ENTRIES,
  foreign: {
    isSuperUser: "write it in the options of sessionMiddleware",
    path: 'write app.use("/admin/sessions", sessionConsole())',
  },
};

/** Reads and checks the options. Throws one `SESSION_CONFIG` that names everything wrong. */
export function readConsoleOptions(given: ConsoleOptions, byDefault: () => ConsoleSessions): ConsoleSettings {
  const { sessions, ...others } = readOptions(CONSOLE_OPTIONS, given);
  return { ...others, sessions: sessions === undefined ? byDefault : () => sessions };
}

/** A path of this very host, or false. */
function localPath(given: unknown, option: string): string | false {
  if (given === false) return false;
  if (typeof given === "string" && /^\/(?![/\\])[\x21-\x7e]*$/.test(given)) return given;
  return refuse(option, given, 'give a path such as "/", or false for none');
}

function sessionsOption(given: unknown, option: string): ConsoleSessions | undefined {
  if (given === undefined) return undefined;
  if (typeof given === "object" && given !== null && "admin" in given && typeof given.admin === "function") {
    return given as ConsoleSessions;
  }
  const instead = "give the .sessions of what sessionMiddleware() returned, or new Sessions()";
  return refuse(option, given, instanceOr(given, instead));
}
