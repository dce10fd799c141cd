import { SessionError } from "../../../errors";
import type { Database } from "../file/driver";

/** "Coat" in ASCII: by this, `file` and SQLite's own tools recognise a session file. */
export const APPLICATION_ID = 0x436f6174;
/** The layout of the tables. A file of a newer one is refused. */
export const SCHEMA_VERSION = 1;

/** How many pages SQLite keeps in memory, as negative KiB. */
const CACHE_KIB = -16_384;
/** A WAL file that grew larger is cut to this many bytes when it starts over. */
export const WAL_LIMIT_BYTES = 32 * 1024 * 1024;

/**
 * What each connection is set to. `synchronous = NORMAL` syncs at checkpoints only; creates, replaces and ends are
 * synced by `WalSync`. `secure_delete` overwrites what is deleted, so that the data of ended sessions don't stay in
 * free pages.
 */
const PRAGMAS = `
  PRAGMA synchronous = NORMAL;
  PRAGMA wal_autocheckpoint = 0;
  PRAGMA journal_size_limit = ${WAL_LIMIT_BYTES};
  PRAGMA secure_delete = ON;
  PRAGMA trusted_schema = OFF;
  PRAGMA cell_size_check = ON;
  PRAGMA cache_size = ${CACHE_KIB};
`;

/*
 * Instants are milliseconds since the epoch, and may be Infinity. A bucket is ten minutes: `expires_bucket` and
 * `purge_bucket` are what the indexes have of `expires_at` and `purge_at`, so that most touches leave the indexes
 * alone. Texts that SQLite's UTF-8 can't hold are BLOBs of UTF-16.
 */
const SCHEMA = `
  CREATE TABLE session (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    format INTEGER NOT NULL,
    owner ANY NOT NULL,
    project ANY NOT NULL,
    scope ANY NOT NULL,
    created_at REAL NOT NULL,
    last_seen_at REAL NOT NULL,
    idle_ms REAL NOT NULL,
    ends_at REAL NOT NULL,
    expires_at REAL NOT NULL,
    purge_at REAL NOT NULL,
    expires_bucket INTEGER NOT NULL,
    purge_bucket INTEGER NOT NULL,
    remote_address ANY NOT NULL,
    user_agent ANY NOT NULL,
    layout ANY NOT NULL, -- of the data: key, offset and length of each value
    data ANY NOT NULL,
    clones BLOB,
    attributes ANY,
    keys ANY,
    pages ANY,
    counters ANY,
    checksum INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX session_owner ON session (owner, id);
  CREATE INDEX session_purge ON session (purge_bucket);

  CREATE TABLE ended (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    format INTEGER NOT NULL,
    owner ANY NOT NULL,
    project ANY NOT NULL,
    scope ANY NOT NULL,
    created_at REAL NOT NULL,
    last_seen_at REAL NOT NULL,
    remote_address ANY NOT NULL,
    user_agent ANY NOT NULL,
    ended_at REAL NOT NULL,
    reason TEXT NOT NULL,
    ended_by ANY,
    message ANY,
    bytes_sent REAL,
    purge_at REAL NOT NULL,
    purge_bucket INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX ended_owner ON ended (owner, id);
  CREATE INDEX ended_purge ON ended (purge_bucket);

  -- How many live sessions of each group expire in each bucket.
  CREATE TABLE tally (
    project ANY NOT NULL,
    scope ANY NOT NULL,
    is_guest INTEGER NOT NULL,
    expires_bucket INTEGER NOT NULL,
    live INTEGER NOT NULL,
    PRIMARY KEY (project, scope, is_guest, expires_bucket)
  ) STRICT, WITHOUT ROWID;

  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

/**
 * Sets up a connection, and makes the tables where they are missing; safe when several processes do so at once. Throws
 * `SESSION_STORE` for a file of something else or of a newer version, and whatever SQLite throws.
 */
export function prepareSchema(db: Database, path: string): void {
  // Checked before anything is written to the file.
  isEmpty(db, path);
  // Writes nothing where the file is in that mode already.
  const mode = db.prepare("PRAGMA journal_mode = WAL").get()?.journal_mode;
  if (mode !== "wal") throw new SessionError("SESSION_STORE", `SQLite can't use a WAL at ${path}; use a local disk.`);
  db.exec(PRAGMAS);
  db.exec("BEGIN IMMEDIATE");
  try {
    if (isEmpty(db, path)) db.exec(SCHEMA);
    else assertColumnNames(db, path);
  } catch (error) {
    db.exec("ROLLBACK");
    throw error;
  }
  db.exec("COMMIT");
}

/** Throws `SESSION_STORE` for a file of something else or of a newer version. */
function isEmpty(db: Database, path: string): boolean {
  if (db.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").get() === undefined) return true;
  if (numberOf(db, "application_id") !== APPLICATION_ID) {
    throw new SessionError("SESSION_STORE", `${path} is not a session file; give SqliteStore another folder.`);
  }
  const version = numberOf(db, "user_version");
  if (version > SCHEMA_VERSION) {
    throw new SessionError(
      "SESSION_STORE",
      `The session file ${path} has layout ${version}, and this version of coatcheck knows ${SCHEMA_VERSION}; upgrade coatcheck.`,
    );
  }
  return false;
}

/**
 * Throws `SESSION_STORE` where a damaged byte has changed the case of a column's name: SQLite finds such a column by the
 * right name, and returns its values under the damaged one. A name that is wrong otherwise makes a statement fail.
 */
function assertColumnNames(db: Database, path: string): void {
  const wrong = db
    .prepare(
      `SELECT info.name FROM sqlite_schema AS made JOIN pragma_table_info(made.name) AS info
       WHERE made.type = 'table' AND lower(made.name) IN ('session', 'ended', 'tally') AND info.name <> lower(info.name)`,
    )
    .get();
  if (wrong === undefined) return;
  throw new SessionError(
    "SESSION_STORE",
    `The session file ${path} can't be opened: the name of the column ${String(wrong.name)} is damaged; restore a backup or delete the folder.`,
  );
}

function numberOf(db: Database, pragma: "user_version" | "application_id"): number {
  return Number(db.prepare(`PRAGMA ${pragma}`).get()?.[pragma]);
}
