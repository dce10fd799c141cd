import { join } from "node:path";
import { sqliteDriver } from "../../lib/stores/sqlite/file/driver";
import type { Database, Row } from "../../lib/stores/sqlite/file/driver";
import { FILE_NAME } from "../../lib/stores/sqlite/file/session-file";
import { bucketOf } from "../../lib/stores/index-keys";

/** A separate connection to the session file of a folder, to look into it and to change it behind the store's back. */
export function connectTo(folder: string): Database {
  const db = new (sqliteDriver().DatabaseSync)(join(folder, FILE_NAME));
  db.exec("PRAGMA busy_timeout = 5000");
  return db;
}

/** Runs `work` on such a connection, and closes it. */
export function inFile<T>(folder: string, work: (db: Database) => T): T {
  const db = connectTo(folder);
  try {
    return work(db);
  } finally {
    db.close();
  }
}

/**
 * Describes what is wrong with the session file of a folder. Stores may have it open, but nobody may write meanwhile.
 */
export function faultsOf(folder: string): string[] {
  return inFile(folder, (db) => {
    const list = (fault: string, sql: string) => listed(fault, db.prepare(sql).all());
    return [
      ...list("SQLite finds", "PRAGMA integrity_check").filter((said) => said !== "SQLite finds: ok"),
      ...wrongBuckets(db, "session", "expires"),
      ...wrongBuckets(db, "session", "purge"),
      ...wrongBuckets(db, "ended", "purge"),
      ...list("missing in the tally", `${COUNTED} EXCEPT ${TALLIED}`),
      ...list("too many in the tally", `${TALLIED} EXCEPT ${COUNTED}`),
      ...list("live and ended", "SELECT id FROM session WHERE id IN (SELECT id FROM ended)"),
    ];
  });
}

const TALLIED = "SELECT project, scope, is_guest, expires_bucket, live FROM tally WHERE live <> 0";
const COUNTED = `SELECT project, scope, owner IS '__guest__' AS is_guest, expires_bucket, count(*) AS live
  FROM session GROUP BY 1, 2, 3, 4`;

function wrongBuckets(db: Database, table: "session" | "ended", name: "expires" | "purge"): string[] {
  const rows = db.prepare(`SELECT id, ${name}_at AS at, ${name}_bucket AS bucket FROM ${table}`).all();
  const wrong = rows.filter(({ at, bucket }) => bucket !== bucketOf(Number(at)));
  return listed(`wrong ${name}_bucket of ${table}`, wrong);
}

function listed(fault: string, rows: Row[]): string[] {
  return rows.map((row) => `${fault}: ${Object.values(row).map(String).join(", ")}`);
}
