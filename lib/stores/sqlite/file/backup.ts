import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, lstatSync, openSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { SessionError } from "../../../errors";
import { isDamage, sqliteFailure } from "./driver";
import { faultsIn, headerOf, openExisting } from "./file-report";
import { APPLICATION_ID } from "../tables/schema";
import { FILE_NAME } from "./session-file";

/**
 * Copies the session file of a folder, as it is now, to a new file that only this user may read. The copy is on disk
 * when this returns, with its size in bytes. Other processes go on reading and writing. Throws `SESSION_ARGUMENT` where
 * something of that name exists, and `SESSION_STORE` where the copy fails.
 */
export function backUp(folder: string, file: string): number {
  const path = join(resolve(folder), FILE_NAME);
  const target = resolve(file);
  if (lstatSync(target, { throwIfNoEntry: false }) !== undefined) throw inTheWay(target);
  const partial = `${target}.${randomBytes(4).toString("hex")}.partial`;
  try {
    createPrivately(partial);
    copy(path, partial);
    sync(partial, "r+");
    moveOverNothing(partial, target);
    // Windows can't sync a folder.
    if (process.platform !== "win32") sync(dirname(target), "r");
  } catch (cause) {
    rmSync(partial, { force: true });
    if (cause instanceof SessionError) throw cause;
    if (isDamage(cause)) throw sqliteFailure(path, "read", cause);
    const said = cause instanceof Error ? cause.message : String(cause);
    throw new SessionError("SESSION_STORE", `${path} can't be backed up to ${target}: ${said}.`, { cause });
  }
  return statSync(target).size;
}

/** `VACUUM INTO` takes an empty file, and reads what was committed when it began; what was deleted is not copied. */
function copy(path: string, partial: string): void {
  const db = openExisting(path);
  try {
    if (headerOf(db).applicationId !== APPLICATION_ID) {
      throw new SessionError("SESSION_STORE", `${path} is not a session file; there is nothing to back up.`);
    }
    db.prepare("VACUUM INTO ?").run(partial);
  } finally {
    db.close();
  }
  assertSound(partial, path);
}

/** SQLite may copy a damaged file without an error, and a backup has to be worth keeping. */
function assertSound(partial: string, path: string): void {
  const db = openExisting(partial);
  try {
    const [fault] = faultsIn(db);
    if (fault === undefined) return;
    throw new SessionError("SESSION_STORE", `${path} is damaged (${fault}); see npx coatcheck doctor.`);
  } finally {
    db.close();
  }
}

/** Creates the target first, which fails where it exists, and then replaces it: renaming alone would overwrite it. */
function moveOverNothing(partial: string, target: string): void {
  try {
    createPrivately(target);
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === "EEXIST" ? inTheWay(target) : error;
  }
  try {
    renameSync(partial, target);
  } catch (error) {
    rmSync(target);
    throw error;
  }
}

function createPrivately(path: string): void {
  closeSync(openSync(path, "wx", 0o600));
}

function sync(path: string, flags: "r" | "r+"): void {
  const file = openSync(path, flags);
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function inTheWay(target: string): SessionError {
  return new SessionError("SESSION_ARGUMENT", `${target} exists already; give the backup another name.`);
}
