import { isNativeError } from "node:util/types";
import { SessionError } from "../../../errors";

/** Primary result codes of SQLite. (https://www.sqlite.org/rescode.html) */
const ERROR = 1;
export const BUSY = 5;
const LOCKED = 6;
const READONLY = 8;
const IOERR = 10;
const CORRUPT = 11;
const FULL = 13;
const PROTOCOL = 15;
const NOTADB = 26;

const ADVICE: ReadonlyMap<number, string> = new Map([
  [READONLY, "let this user write to the folder and its files"],
  [IOERR, "see whether the disk is full or failing"],
  [CORRUPT, "the file is damaged; see `npx coatcheck doctor`, and restore a backup or delete the folder"],
  [FULL, "the disk is full; make room, and it goes on by itself"],
  [NOTADB, "it is not a session file, or is damaged; restore a backup or delete the folder"],
]);

/** What SQLite says of some of them: `all` of the peer throws errors without a code. */
const BY_TEXT: ReadonlyMap<string, number> = new Map([
  ["database is locked", BUSY],
  ["database table is locked", LOCKED],
  ["attempt to write a readonly database", READONLY],
  ["disk I/O error", IOERR],
  ["database disk image is malformed", CORRUPT],
  ["database or disk is full", FULL],
  ["locking protocol", PROTOCOL],
  ["file is not a database", NOTADB],
]);

/** SQLite's primary result code; undefined where the error is not SQLite's. */
export function resultCode(error: unknown): number | undefined {
  if (!isNativeError(error)) return undefined;
  if ("errcode" in error && typeof error.errcode === "number") return error.errcode & 0xff;
  return "code" in error && error.code === "ERR_SQLITE_ERROR" ? (BY_TEXT.get(error.message) ?? ERROR) : undefined;
}

/** Whether another connection was in the way, and trying again will help. */
export function isBusy(error: unknown): boolean {
  const code = resultCode(error);
  return code === BUSY || code === LOCKED || code === PROTOCOL;
}

/** `SESSION_STORE`, with SQLite's words, what can be done about it, and the error as `cause`. One of ours is returned as it is. */
export function sqliteFailure(
  path: string,
  doing: "opened" | "found" | "read" | "written",
  cause: unknown,
): SessionError {
  if (cause instanceof SessionError) return cause;
  const code = resultCode(cause);
  const advice = code === undefined ? undefined : ADVICE.get(code);
  const said = isNativeError(cause) ? cause.message : String(cause);
  return new SessionError(
    "SESSION_STORE",
    `The session file ${path} can't be ${doing}: ${said}${advice === undefined ? "" : `; ${advice}`}.`,
    { cause },
  );
}
