import { statSync } from "node:fs";
import { join, resolve } from "node:path";
import { SessionError } from "../errors";
import { Sessions } from "../sessions";
import { storeByEnvironment, usesDatastore } from "../options/store-by-environment";
import { FILE_NAME } from "../stores/sqlite/file/session-file";
import { UsageError } from "./command-arguments";
import type { CommandArguments } from "./command-arguments";

/**
 * Opens the sessions of this environment, or those in the folder `--path`, and closes them afterwards, so that the
 * process can end. `place` tells a person where they are. Rejects with `SESSION_STORE` where there is no such folder.
 */
export async function withSessions<T>(
  args: CommandArguments,
  use: (sessions: Sessions, place: string) => Promise<T>,
): Promise<T> {
  const folder = embeddedFolder(args);
  const sessions = new Sessions({ store: storeByEnvironment(folder === undefined ? {} : { path: folder }) });
  try {
    return await use(sessions, folder ?? datastoreName());
  } finally {
    await sessions.close();
  }
}

/**
 * The embedded store's folder, for a command that works on its file. Throws `UsageError` where this environment keeps
 * its sessions elsewhere, and `SESSION_STORE` where the folder has no sessions.
 */
export function embeddedFolderOnly(args: CommandArguments, command: string): string {
  const folder = embeddedFolder(args);
  if (folder !== undefined) return folder;
  throw new UsageError(
    `coatcheck ${command} works on the file of an embedded store, but this environment keeps its sessions in Datastore; name a folder with --path.`,
  );
}

/**
 * The embedded store's folder, from `--path` or this environment; undefined where this environment keeps its sessions
 * elsewhere. Throws `SESSION_STORE` where the folder has no sessions: the command line never starts a new store.
 */
function embeddedFolder(args: CommandArguments): string | undefined {
  const path = args.text("path");
  if (path === "") throw new UsageError("--path takes a folder, not an empty text.");
  if (path === undefined && usesDatastore()) return undefined;
  const folder = resolve(path ?? "./.sessions");
  if (isThere(join(folder, FILE_NAME))) return folder;
  throw new SessionError(
    "SESSION_STORE",
    `There are no sessions in ${folder}. Run this in the folder that the app runs in, name their folder with --path, or set DATASTORE_PROJECT_ID for sessions in Datastore.`,
  );
}

function isThere(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "ENOTDIR") return false;
    throw new SessionError("SESSION_STORE", `${message}; run this as the user that the app runs as.`, { cause });
  }
}

function datastoreName(): string {
  const { DATASTORE_PROJECT_ID: project = "", DATASTORE_EMULATOR_HOST: emulator = "" } = process.env;
  return `Datastore${project && ` of ${project}`}${emulator && ` at ${emulator}`}`;
}
