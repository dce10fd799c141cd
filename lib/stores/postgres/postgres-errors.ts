import { isNativeError } from "node:util/types";
import { SessionError } from "../../errors";

/** SQLSTATE codes that mean something to the store. (https://www.postgresql.org/docs/current/errcodes-appendix.html) */
const SQLSTATE = {
  UNIQUE_VIOLATION: "23505",
  READ_ONLY: "25006",
  SERIALIZATION_FAILURE: "40001",
  DEADLOCK: "40P01",
  NO_PRIVILEGE: "42501",
  UNDEFINED_TABLE: "42P01",
  UNDEFINED_COLUMN: "42703",
  UNDEFINED_SCHEMA: "3F000",
  DISK_FULL: "53100",
  TOO_MANY_CONNECTIONS: "53300",
  PROGRAM_LIMIT: "54000",
  CANCELED: "57014",
} as const;

const ADVICE: ReadonlyMap<string, string> = new Map([
  [SQLSTATE.READ_ONLY, "Give the store the address of the primary: this server is a standby, or read-only"],
  [SQLSTATE.NO_PRIVILEGE, "Give the role the rights that docs/postgres.md lists"],
  [SQLSTATE.UNDEFINED_TABLE, "Make the tables with `npx coatcheck migrate`"],
  [SQLSTATE.UNDEFINED_COLUMN, "The tables are not coatcheck's; name others with the option table"],
  [SQLSTATE.DISK_FULL, "Make room on the server's disk, and it goes on by itself"],
  [SQLSTATE.TOO_MANY_CONNECTIONS, "Lower the pool's max, or put PgBouncer in front of the server"],
]);

/** PostgreSQL's code of an error; undefined where PostgreSQL did not answer. */
export function sqlState(error: unknown): string | undefined {
  const code = codeOf(error);
  return code !== undefined && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

/** Whether the tables, or their schema, are not there. */
export function isMissingTable(error: unknown): boolean {
  const code = sqlState(error);
  return code === SQLSTATE.UNDEFINED_TABLE || code === SQLSTATE.UNDEFINED_SCHEMA;
}

export function isWithoutPrivilege(error: unknown): boolean {
  return sqlState(error) === SQLSTATE.NO_PRIVILEGE;
}

/** Whether a row with the same key is there already. */
export function isDuplicate(error: unknown): boolean {
  return sqlState(error) === SQLSTATE.UNIQUE_VIOLATION;
}

/** Whether PostgreSQL gave up the statement because of others, so that it may be sent again: nothing of it was done. */
export function isInTheWay(error: unknown): boolean {
  const code = sqlState(error);
  return code === SQLSTATE.SERIALIZATION_FAILURE || code === SQLSTATE.DEADLOCK;
}

/**
 * Whether the connection can't be used any more: it was lost, or the server is going down (class 57P) or has trouble
 * with it (class 08).
 */
export function isLost(error: unknown): boolean {
  const code = sqlState(error);
  return code === undefined || /^(?:08|57P)/.test(code);
}

/**
 * Whether PostgreSQL refused the statement for what is in it. That proves that nothing of it was done, and that others
 * may be accepted.
 */
export function isRefusal(error: unknown): boolean {
  return /^(?:21|22|23|54)/.test(sqlState(error) ?? "");
}

/** The error that callers of the store get. `call` names what was to be done. */
export function postgresError(call: string, error: unknown): SessionError {
  if (error instanceof SessionError) return error;
  const code = sqlState(error);
  const cause = { cause: withoutValues(error) };
  if (code === SQLSTATE.CANCELED) {
    return new SessionError("SESSION_STORE_TIMEOUT", `PostgreSQL canceled ${call}: it took too long.`, cause);
  }
  // The pool's own words.
  if (code === undefined && /\btimeout\b/.test(cause.cause.message)) {
    const text = `PostgreSQL gave no connection for ${call} in time. Check that it can be reached, and that the pool is large enough.`;
    return new SessionError("SESSION_STORE_TIMEOUT", text, cause);
  }
  if (code?.startsWith("54") === true) {
    return new SessionError("SESSION_TOO_LARGE", `PostgreSQL refused ${call}: the session is too large.`, cause);
  }
  const advice = code === undefined ? undefined : ADVICE.get(code);
  const text = `PostgreSQL failed at ${call}: ${cause.cause.message}${advice === undefined ? "" : `. ${advice}`}.`;
  return new SessionError("SESSION_STORE", text, cause);
}

export function timeoutError(call: string, timeoutMs: number): SessionError {
  return new SessionError("SESSION_STORE_TIMEOUT", `PostgreSQL did not answer ${call} within ${timeoutMs} ms.`);
}

/** For a call that is refused at once, because too many wait already. */
export function busyError(call: string, waiting: number): SessionError {
  return new SessionError(
    "SESSION_STORE",
    `PostgreSQL is too slow for this process: ${waiting} requests wait for ${call}, and no more are taken. ` +
      "Look for what makes PostgreSQL slow, or give the pool more connections.",
  );
}

/** A copy of the error for one of several callers: what an app sets on its error must not show up on another's. */
export function ownError(error: unknown): Error {
  if (error instanceof SessionError) return new SessionError(error.code, error.message, { cause: error.cause });
  return error instanceof Error ? error : new Error(String(error));
}

/**
 * What may be told of an error of `pg` or PostgreSQL: the code, and the message where that can't repeat a stored value.
 * `detail`, `where`, `parameters` and others can; so can the message of a data exception (class 22).
 */
function withoutValues(error: unknown): Error {
  const code = codeOf(error);
  const state = sqlState(error);
  const said = state?.startsWith("22") === true || !isNativeError(error) ? "a value was refused" : textOf(error);
  const told = new Error(state === undefined ? said : `${said} (SQLSTATE ${state})`);
  return code === undefined ? told : Object.assign(told, { code });
}

// By what they are and not by `instanceof`: a test runner has classes of its own.
function codeOf(error: unknown): string | undefined {
  const code: unknown = isNativeError(error) && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : undefined;
}

/** An AggregateError, of a host with several addresses, has an empty message. */
function textOf(error: Error): string {
  if (error.message !== "" || !("errors" in error) || !Array.isArray(error.errors)) return error.message;
  return error.errors.map((each) => (isNativeError(each) ? each.message : "")).join("; ");
}
