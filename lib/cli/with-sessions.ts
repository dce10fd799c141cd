import { Sessions } from "../sessions";
import { storeByEnvironment } from "../store-by-environment";
import type { CommandArguments } from "./command-arguments";
import { embeddedFolder } from "./embedded-folder";

/**
 * Opens the sessions of this environment, or of the folder `--path`, and closes them again, so that nothing keeps the process. `place` says
 * which they are. Rejects with `SESSION_STORE` where there is no such folder.
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

function datastoreName(): string {
  const { DATASTORE_PROJECT_ID: project = "", DATASTORE_EMULATOR_HOST: emulator = "" } = process.env;
  return `Datastore${project && ` of ${project}`}${emulator && ` at ${emulator}`}`;
}
