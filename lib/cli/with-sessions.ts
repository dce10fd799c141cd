import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { SessionError } from "../errors";
import { Sessions } from "../sessions";
import { storeByEnvironment, usesDatastore } from "../store-by-environment";
import type { CommandArguments } from "./command-arguments";
import { UsageError } from "./usage-error";

/**
 * Opens the sessions of this environment, or of the folder `--path`, and closes them again, so that nothing keeps the process. `place` says
 * which they are. Rejects with `SESSION_STORE` where there is no such folder: an operator looks at sessions, and starts no store.
 */
export async function withSessions<T>(
  args: CommandArguments,
  use: (sessions: Sessions, place: string) => Promise<T>,
): Promise<T> {
  const path = args.text("path");
  if (path === "") throw new UsageError("--path takes a folder, and an empty text is none.");
  const isEmbedded = path !== undefined || !usesDatastore();
  const folder = resolve(path ?? "./.sessions");
  if (isEmbedded) assertThere(folder);
  const sessions = new Sessions({ store: storeByEnvironment(isEmbedded ? { path: folder } : {}) });
  try {
    return await use(sessions, isEmbedded ? folder : datastoreName());
  } finally {
    await sessions.close();
  }
}

function assertThere(folder: string): void {
  if (existsSync(join(folder, "data.mdb"))) return;
  throw new SessionError(
    "SESSION_STORE",
    `There are no sessions in ${folder}. Run this in the folder that the app runs in, name theirs with --path, or set DATASTORE_PROJECT_ID for those in Datastore.`,
  );
}

function datastoreName(): string {
  const { DATASTORE_PROJECT_ID: project = "", DATASTORE_EMULATOR_HOST: emulator = "" } = process.env;
  return `Datastore${project && ` of ${project}`}${emulator && ` at ${emulator}`}`;
}
