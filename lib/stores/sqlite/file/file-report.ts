import { existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { SessionError } from "../../../errors";
import { dueBefore } from "../../../record/expiry";
import { bucketOf } from "../../index-keys";
import { sessionRecordOf } from "../tables/record-columns";
import { APPLICATION_ID, SCHEMA_VERSION } from "../tables/schema";
import { nodeDriver, PEER, isDamage, isMismatch, resultCode, sqliteDriver } from "./driver";
import type { Database } from "./driver";
import { FILE_NAME, foreignFileSystem } from "./session-file";
import type { ForeignFileSystem } from "./session-file";

/** How many unreadable records are described one by one. */
const EXAMPLES = 3;

/**
 * What is known of the session file of a folder. Where something could not be found out it is null, and `faults` or
 * `hindrances` say why.
 */
export interface FileReport {
  readonly folder: string;
  readonly path: string;
  readonly bytes: number;
  /** The size of the WAL: what was written lately and is not in the file yet. */
  readonly walBytes: number;
  /** The permissions of the folder and of each of our files in it, by path; empty on Windows. */
  readonly modes: ReadonlyMap<string, number>;
  /** Undefined unless it is one that may not suit SQLite. */
  readonly fileSystem: ForeignFileSystem | undefined;
  readonly driver: string;
  readonly sqliteVersion: string;
  readonly header: FileHeader | null;
  readonly counts: RecordCounts | null;
  readonly unreadable: UnreadableRecords | null;
  /** What is wrong in the file, in SQLite's words. */
  readonly faults: readonly string[];
  /** What prevented a look into the file, in SQLite's words. */
  readonly hindrances: readonly string[];
}

export interface RecordCounts {
  /** As `tally` counts: those that expired in the last ten minutes may be among them. */
  readonly live: number;
  /** The same, counted one by one. */
  readonly liveRows: number;
  readonly ended: number;
  /** How many records of either kind clearing would delete now. */
  readonly due: number;
  /** All records of either kind, whether or not they have expired or are due. */
  readonly all: number;
}

export interface UnreadableRecords {
  readonly count: number;
  /** The errors of the first few of them. */
  readonly examples: readonly string[];
}

/**
 * Looks into the session file of a folder and reads every record. The file must exist, but may be damaged, and other
 * processes may use it. Throws `SESSION_STORE` where this process has no SQLite.
 */
export function fileReport(folder: string, now: number): FileReport {
  const absolute = resolve(folder);
  const path = join(absolute, FILE_NAME);
  return {
    folder: absolute,
    path,
    bytes: sizeOf(path),
    walBytes: sizeOf(`${path}-wal`),
    modes: modesOf([absolute, path, `${path}-wal`, `${path}-shm`]),
    fileSystem: foreignFileSystem(absolute),
    sqliteVersion: sqliteVersion(),
    driver: nodeDriver() === undefined ? PEER : `Node ${process.versions.node}`,
    ...contentOf(path, now),
  };
}

type Content = Pick<FileReport, "header" | "counts" | "unreadable" | "faults" | "hindrances">;

function contentOf(path: string, now: number): Content {
  const faults = new Set<string>();
  const hindrances = new Set<string>();
  const attempt = <T>(work: () => T): T | null => {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof Error) || resultCode(error) === undefined) throw error;
      (isDamage(error) || isMismatch(error) ? faults : hindrances).add(error.message);
      return null;
    }
  };
  const db = attempt(() => openExisting(path));
  const unknown = { header: null, counts: null, unreadable: null };
  if (db === null) return { ...unknown, faults: [...faults], hindrances: [...hindrances] };
  try {
    const header = attempt(() => headerOf(db));
    const isOurs = header?.applicationId === APPLICATION_ID && header.layout === SCHEMA_VERSION;
    const content = {
      header,
      counts: isOurs ? attempt(() => countsIn(db, now)) : null,
      unreadable: isOurs ? attempt(() => unreadableIn(db)) : null,
    };
    for (const fault of attempt(() => faultsIn(db)) ?? []) faults.add(fault);
    return { ...content, faults: [...faults], hindrances: [...hindrances] };
  } finally {
    db.close();
  }
}

/**
 * How many rows of a table are due: all of the buckets that are due as a whole, and of the next bucket those that are
 * due.
 */
const countDue = (table: "session" | "ended") =>
  `(SELECT count(*) FROM ${table} WHERE purge_bucket < ?)
   + (SELECT count(*) FROM ${table} WHERE purge_bucket = ? AND purge_at < ?)`;
const COUNTS = `SELECT
  (SELECT coalesce(sum(live), 0) FROM tally WHERE expires_bucket >= ?) AS live,
  (SELECT count(*) FROM session WHERE expires_bucket >= ?) AS liveRows,
  (SELECT count(*) FROM session) AS sessions,
  (SELECT count(*) FROM ended) AS ended,
  ${countDue("session")} + ${countDue("ended")} AS due`;

/** One statement, so that all numbers are of the same instant. */
function countsIn(db: Database, now: number): RecordCounts {
  const dueAt = dueBefore(now);
  const due = [bucketOf(dueAt), bucketOf(dueAt), dueAt];
  const row = db.prepare(COUNTS).get(bucketOf(now), bucketOf(now), ...due, ...due);
  return {
    live: Number(row?.live),
    liveRows: Number(row?.liveRows),
    ended: Number(row?.ended),
    due: Number(row?.due),
    all: Number(row?.sessions) + Number(row?.ended),
  };
}

/** SQLite doesn't notice a value that the disk has changed; the checksums of live sessions show it. */
function unreadableIn(db: Database): UnreadableRecords {
  const next = db.prepare("SELECT * FROM session WHERE number > ? ORDER BY number LIMIT 1");
  const examples: string[] = [];
  let count = 0;
  for (let row = next.get(0); row !== undefined; row = next.get(Number(row.number))) {
    try {
      sessionRecordOf(row);
    } catch (error) {
      if (!(error instanceof SessionError)) throw error;
      count += 1;
      if (count <= EXAMPLES) examples.push(error.message);
    }
  }
  return { count, examples };
}

function sqliteVersion(): string {
  const db = new (sqliteDriver().DatabaseSync)(":memory:");
  try {
    return String(db.prepare("SELECT sqlite_version() AS version").get()?.version);
  } finally {
    db.close();
  }
}

/** 0 where there is no such file. */
function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function modesOf(paths: readonly string[]): Map<string, number> {
  const modes = new Map<string, number>();
  if (process.platform === "win32") return modes;
  for (const path of paths) {
    const entry = statSync(path, { throwIfNoEntry: false });
    if (entry !== undefined) modes.set(path, entry.mode & 0o777);
  }
  return modes;
}

/** How long to wait while another process recovers the file, in milliseconds. */
const WAIT_MS = 5_000;
/** How many faults are reported at most. */
const FAULTS = 5;

/** What a file says of itself. */
export interface FileHeader {
  readonly applicationId: number;
  /** The layout of the tables, as its `user_version`. */
  readonly layout: number;
  /** Whether it has no table. */
  readonly isEmpty: boolean;
}

/** Opens an existing file, which may be damaged, to look into it. Callers must not write. Throws what SQLite throws. */
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

/** The first few faults that SQLite's own check finds, in its words. */
export function faultsIn(db: Database): string[] {
  // Only the first row, which has what matters most: when the check fails, the peer's `all` doesn't give the result
  // code.
  const said = String(db.prepare(`PRAGMA quick_check(${FAULTS})`).get()?.quick_check);
  return said === "ok" ? [] : said.split("\n").filter((line) => !line.startsWith("***"));
}
