import { statSync } from "node:fs";
import { join, resolve } from "node:path";
import { SessionError } from "../errors";
import { Sessions } from "../sessions";
import { placeByEnvironment, placeOf, storeAt } from "../options/store-by-environment";
import type { StorePlace } from "../options/store-by-environment";
import { FILE_NAME } from "../stores/sqlite/file/session-file";
import type { CommandArguments } from "./command-arguments";
import { UsageError } from "./usage-error";

/**
 * Opens the sessions of this environment, or those that `--store` or `--path` names, and closes them afterwards, so
 * that the process can end. `place` tells a person where they are. Rejects with `SESSION_STORE` where an embedded store
 * has no such folder.
 */
export async function withSessions<T>(
  args: CommandArguments,
  use: (sessions: Sessions, place: string) => Promise<T>,
): Promise<T> {
  const place = placeFor(args);
  if (place.kind === "sqlite") assertThere(folderOf(place));
  const sessions = new Sessions({ store: storeAt(place, {}) });
  try {
    return await use(sessions, nameOf(place));
  } finally {
    await sessions.close();
  }
}

/**
 * The embedded store's folder, for a command that works on its file. Throws `UsageError` where this environment keeps
 * its sessions elsewhere, and `SESSION_STORE` where the folder has no sessions.
 */
export function embeddedFolderOnly(args: CommandArguments, command: string): string {
  const place = placeFor(args);
  if (place.kind !== "sqlite") {
    throw new UsageError(
      `coatcheck ${command} works on the file of an embedded store, but this environment keeps its sessions in ${kindOf(place)}; name a folder with --path.`,
    );
  }
  assertThere(folderOf(place));
  return folderOf(place);
}

/** Where the sessions are, by `--store`, `--path` or the environment. Throws `UsageError` and `SESSION_CONFIG`. */
export function placeFor(args: CommandArguments): StorePlace {
  const [path, address] = [args.text("path"), args.text("store")];
  if (path === "") throw new UsageError("--path takes a folder, not an empty string.");
  if (path !== undefined && address !== undefined) throw new UsageError("Give --store or --path, not both.");
  if (path !== undefined) return { kind: "sqlite", path };
  return address === undefined ? placeByEnvironment() : placeOf(address, "--store");
}

/** What a place is called. Never with a user or a password. */
export function kindOf({ kind }: StorePlace): string {
  return { sqlite: "SQLite", datastore: "Datastore", redis: "Redis", postgres: "PostgreSQL" }[kind];
}

/** The same with where it is. */
export function nameOf(place: StorePlace): string {
  if (place.kind === "sqlite") return folderOf(place);
  if (place.kind === "datastore") return datastoreName();
  const { host, pathname } = new URL(place.url);
  return `${kindOf(place)}${host === "" ? "" : ` at ${host}`}${pathname === "/" ? "" : pathname}`;
}

export function folderOf({ path = "./.sessions" }: { readonly path?: string }): string {
  return resolve(path);
}

/** The command line never starts a new store. */
export function assertThere(folder: string): void {
  if (isThere(join(folder, FILE_NAME))) return;
  throw new SessionError(
    "SESSION_STORE",
    `There are no sessions in ${folder}. Run this in the folder that the app runs in, name their folder with --path, or name another store with --store or COATCHECK_STORE.`,
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
