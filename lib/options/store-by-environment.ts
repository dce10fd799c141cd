import { datastoreRoom, sqliteRoom } from "../rooms-on-demand";
import type { SessionStore } from "../stores/store";
import type { StoreOptions } from "../stores/store-options";

export interface EnvironmentStoreOptions extends StoreOptions {
  /** The folder of an embedded store. */
  readonly path?: string;
  /** How long one operation may take, in milliseconds, for a store on another machine. */
  readonly timeoutMs?: number;
}

/**
 * Where one of these variables is set, sessions go into Datastore. `GOOGLE_CLOUD_PROJECT` alone is set on laptops, too.
 */
const DATASTORE_VARIABLES = [
  ...["DATASTORE_EMULATOR_HOST", "DATASTORE_PROJECT_ID"],
  // Cloud Run services and jobs, and App Engine
  ...["K_SERVICE", "CLOUD_RUN_JOB", "GAE_SERVICE", "GAE_ENV"],
];

/** Whether this environment keeps its sessions in Datastore. */
export function usesDatastore(env: NodeJS.ProcessEnv = process.env): boolean {
  return DATASTORE_VARIABLES.some((name) => (env[name] ?? "") !== "");
}

/**
 * The store for this environment; with a `path` the embedded one there, whatever the environment says. Each is loaded
 * only where it is used.
 */
export function storeByEnvironment(options: EnvironmentStoreOptions, env = process.env): SessionStore {
  const { path, timeoutMs, ...common } = options;
  if (path === undefined && usesDatastore(env)) {
    const { DatastoreStore } = datastoreRoom();
    return new DatastoreStore(timeoutMs === undefined ? common : { ...common, timeoutMs });
  }
  const { SqliteStore } = sqliteRoom();
  return new SqliteStore(path === undefined ? common : { ...common, path });
}
