import { statSync } from "node:fs";
import { join, resolve } from "node:path";
import { SessionError } from "../errors";
import { usesDatastore } from "../store-by-environment";
import { FILE_NAME } from "../stores/sqlite/file/session-file";
import type { CommandArguments } from "./command-arguments";
import { UsageError } from "./usage-error";

/**
 * The folder of the embedded store: the `--path`, or that of this environment; undefined where this environment keeps its sessions elsewhere. Throws
 * `SESSION_STORE` where there are none in it: an operator looks at sessions, and starts no store.
 */
export function embeddedFolder(args: CommandArguments): string | undefined {
  const path = args.text("path");
  if (path === "") throw new UsageError("--path takes a folder, and an empty text is none.");
  if (path === undefined && usesDatastore()) return undefined;
  const folder = resolve(path ?? "./.sessions");
  if (isThere(join(folder, FILE_NAME))) return folder;
  throw new SessionError(
    "SESSION_STORE",
    `There are no sessions in ${folder}. Run this in the folder that the app runs in, name theirs with --path, or set DATASTORE_PROJECT_ID for those in Datastore.`,
  );
}

/** The same for a command that works on the file of the embedded store: anything else is a `UsageError`. */
export function embeddedFolderOnly(args: CommandArguments, command: string): string {
  const folder = embeddedFolder(args);
  if (folder !== undefined) return folder;
  throw new UsageError(
    `coatcheck ${command} works on the file of an embedded store, and this environment keeps its sessions in Datastore; name a folder with --path.`,
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
