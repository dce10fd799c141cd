import { existsSync } from "node:fs";
import { sqliteDriver } from "./driver";
import type { Database } from "./driver";
import { resultCode } from "./sqlite-errors";

/** How long a look waits where another process recovers the file, in milliseconds. */
const WAIT_MS = 5_000;
/** So many faults tell enough. */
const FAULTS = 5;

/** SQLite's result codes for a file that is not as SQLite left it. (https://www.sqlite.org/rescode.html) */
const CORRUPT = 11;
const NOTADB = 26;

/** What a file says of itself. */
export interface FileHeader {
  readonly applicationId: number;
  /** The layout of the tables, as its `user_version`. */
  readonly layout: number;
  /** Whether there is no table in it. */
  readonly isEmpty: boolean;
}

/** Opens a file that is there, and may be damaged, to look into it; its callers write nothing. Throws what SQLite throws. */
export function openExisting(path: string): Database {
  // A connection that can only read leaves a new WAL behind; one that could write deletes it as it closes.
  const db = new (sqliteDriver().DatabaseSync)(path, { readOnly: existsSync(`${path}-wal`) });
  try {
    db.exec(`PRAGMA busy_timeout = ${WAIT_MS}; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON`);
  } catch (error) {
    db.close();
    throw error;
  }
  return db;
}

export function headerOf(db: Database): FileHeader {
  return {
    applicationId: Number(db.prepare("PRAGMA application_id").get()?.application_id),
    layout: Number(db.prepare("PRAGMA user_version").get()?.user_version),
    isEmpty: db.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").get() === undefined,
  };
}

/** What SQLite's own check finds wrong, the first few of it, in its words. */
export function faultsIn(db: Database): string[] {
  // Not all rows: when it fails, the peer's `all` does not tell the result code. The first row has what matters most.
  const said = String(db.prepare(`PRAGMA quick_check(${FAULTS})`).get()?.quick_check);
  return said === "ok" ? [] : said.split("\n").filter((line) => !line.startsWith("***"));
}

/** Whether SQLite fails because of what is in the file. */
export function isDamage(error: unknown): boolean {
  const code = resultCode(error);
  return code === CORRUPT || code === NOTADB;
}
