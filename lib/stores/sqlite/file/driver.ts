import { createRequire } from "node:module";
import { isNativeError } from "node:util/types";
import { SessionError } from "../../../errors";

/** What a column holds. */
export type Value = string | number | Uint8Array | null;
export type Row = Readonly<Record<string, Value>>;

/** A prepared statement: the part of `node:sqlite`'s `StatementSync` that the store uses. */
export interface Statement {
  run(...values: Value[]): { readonly changes: number | bigint; readonly lastInsertRowid: number | bigint };
  get(...values: Value[]): Row | undefined;
  all(...values: Value[]): Row[];
  /** Rows as arrays instead of objects: from Node 22.16 on, and cheaper. */
  setReturnArrays?(enabled: boolean): void;
}

/** An open connection: the part of `node:sqlite`'s `DatabaseSync` that the store uses. */
export interface Database {
  exec(sql: string): void;
  prepare(sql: string): Statement;
  close(): void;
}

/** A module with the interface of `node:sqlite`. */
export interface Driver {
  readonly DatabaseSync: new (path: string, options?: { readonly readOnly?: boolean }) => Database;
}

/** A package with the interface of `node:sqlite`, and with binaries for Node 20. */
export const PEER = "@photostructure/sqlite";
/** Its last major version that is for Node 20. */
const PEER_MAJOR = 1;

/**
 * The driver of this process: Node's own SQLite where there is one, otherwise the optional peer. Throws
 * `SESSION_STORE`.
 */
export function sqliteDriver(): Driver {
  return nodeDriver() ?? peerDriver();
}

/** Node's own, from 22.13 on. */
export function nodeDriver(): Driver | undefined {
  return withoutItsWarning(() => process.getBuiltinModule("node:sqlite") as Driver | undefined);
}

export function peerDriver(): Driver {
  const path = peerPath();
  if (path === undefined) {
    throw new SessionError(
      "SESSION_STORE",
      `Node ${process.versions.node} has no SQLite of its own: run "npm install ${PEER}@${PEER_MAJOR}", or use Node 22.13 or newer.`,
    );
  }
  return load(path) as Driver;
}

/** Where the peer's module is, for a worker that loads it too; undefined where it is not installed. */
export function peerPath(): string | undefined {
  try {
    return load.resolve(PEER);
  } catch {
    return undefined;
  }
}

// Bundlers ignore what this loads, so that a bundle for Node 22 or newer needs no other package.
const load = createRequire(__filename);

/** Node 22 warns once in a process that its SQLite is experimental; other warnings are let through. */
function withoutItsWarning<T>(work: () => T): T {
  const emitWarning = Object.getOwnPropertyDescriptor(process, "emitWarning");
  const pass = process.emitWarning.bind(process) as (...args: unknown[]) => void;
  process.emitWarning = (...args: unknown[]) => {
    if (!String(args[0]).startsWith("SQLite is an experimental feature")) pass(...args);
  };
  try {
    return work();
  } finally {
    if (emitWarning !== undefined) Object.defineProperty(process, "emitWarning", emitWarning);
  }
}

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
  [IOERR, "check whether the disk is full or failing"],
  [CORRUPT, "the file is damaged; see `npx coatcheck doctor`, and restore a backup or delete the folder"],
  [FULL, "the disk is full; make room, and it goes on by itself"],
  [NOTADB, "it is not a session file, or is damaged; restore a backup or delete the folder"],
]);

/** The messages of some of them, because the peer's `all` throws errors without a code. */
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

/** Whether SQLite fails because the file is not as SQLite left it. */
export function isDamage(error: unknown): boolean {
  const code = resultCode(error);
  return code === CORRUPT || code === NOTADB;
}

/** Whether SQLite fails because a statement does not fit the tables. */
export function isMismatch(error: unknown): boolean {
  return resultCode(error) === ERROR;
}

/** Whether another connection had a lock, so that trying again will help. */
export function isBusy(error: unknown): boolean {
  const code = resultCode(error);
  return code === BUSY || code === LOCKED || code === PROTOCOL;
}

/**
 * `SESSION_STORE` with SQLite's message, what can be done about it, and the error as `cause`. A SessionError is
 * returned as it is.
 */
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
