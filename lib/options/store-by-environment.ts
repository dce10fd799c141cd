import { SessionError } from "../errors";
import { datastoreRoom, postgresRoom, redisRoom, sqliteRoom } from "../rooms-on-demand";
import type { SessionStore } from "../stores/store";
import type { StoreOptions } from "../stores/store-options";

/** Where sessions are kept. */
export type StorePlace =
  | { readonly kind: "sqlite"; readonly path?: string }
  | { readonly kind: "datastore" }
  | { readonly kind: "redis"; readonly url: string; readonly prefix?: string; readonly shards?: number }
  | { readonly kind: "postgres"; readonly url: string; readonly schema?: string; readonly table?: string };

export interface EnvironmentStoreOptions extends StoreOptions {
  /** How long one operation may take, in milliseconds, for a store on another machine. */
  readonly timeoutMs?: number;
}

/** The variable that names a place. */
const STORE_VARIABLE = "COATCHECK_STORE";

/**
 * Where one of these variables is set, sessions go into Datastore. `GOOGLE_CLOUD_PROJECT` alone is set on laptops, too.
 */
const DATASTORE_VARIABLES = [
  ...["DATASTORE_EMULATOR_HOST", "DATASTORE_PROJECT_ID"],
  // Cloud Run services and jobs, and App Engine
  ...["K_SERVICE", "CLOUD_RUN_JOB", "GAE_SERVICE", "GAE_ENV"],
];

/** Where this environment keeps its sessions. Throws `SESSION_CONFIG` where `COATCHECK_STORE` names no place. */
export function placeByEnvironment(env: NodeJS.ProcessEnv = process.env): StorePlace {
  const address = env[STORE_VARIABLE] ?? "";
  if (address !== "") return placeOf(address, STORE_VARIABLE);
  return { kind: DATASTORE_VARIABLES.some((name) => (env[name] ?? "") !== "") ? "datastore" : "sqlite" };
}

/**
 * The place that an address names. Throws `SESSION_CONFIG`, which names the `source` of the address. The address itself
 * is not repeated: it may hold a password, in any place if it is wrong.
 */
export function placeOf(address: string, source: string): StorePlace {
  const scheme = /^[a-z]+(?=:)/.exec(address)?.[0];
  if (scheme === "datastore" && address === "datastore:") return { kind: "datastore" };
  if (scheme === "sqlite") {
    const path = address.slice("sqlite:".length);
    if (path !== "" && !path.startsWith("//") && !path.includes("\0")) return { kind: "sqlite", path };
  }
  if (isUrl(address)) {
    if (scheme === "redis" || scheme === "rediss") {
      const { url, shards, ...prefix } = withoutParameters(address, ["prefix", "shards"]);
      return { kind: "redis", url, ...prefix, ...(shards === undefined ? undefined : { shards: Number(shards) }) };
    }
    if (scheme === "postgres" || scheme === "postgresql") {
      return { kind: "postgres", ...withoutParameters(address, ["schema", "table"]) };
    }
  }
  throw new SessionError("SESSION_CONFIG", `${source} ${instead(scheme)}.`);
}

/** The store for this environment. Each is loaded only where it is used. */
export function storeByEnvironment(options: EnvironmentStoreOptions, env = process.env): SessionStore {
  return storeAt(placeByEnvironment(env), options);
}

/** The store at a place. Throws what the store's constructor throws. */
export function storeAt(
  { kind, ...where }: StorePlace,
  { timeoutMs, ...common }: EnvironmentStoreOptions,
): SessionStore {
  const remote = timeoutMs === undefined ? common : { ...common, timeoutMs };
  switch (kind) {
    case "sqlite":
      return new (sqliteRoom().SqliteStore)({ ...common, ...where });
    case "datastore":
      return new (datastoreRoom().DatastoreStore)(remote);
    case "redis":
      return new (redisRoom().RedisStore)({ ...remote, ...where });
    case "postgres":
      return new (postgresRoom().PostgresStore)({ ...remote, ...where });
  }
}

/** An address without these parameters, which are for the store and not for the database, and those that it had. */
function withoutParameters<N extends string>(
  address: string,
  names: readonly N[],
): { readonly url: string } & Readonly<Partial<Record<N, string>>> {
  const url = new URL(address);
  const given = names.flatMap((name) => {
    const value = url.searchParams.get(name);
    return value === null ? [] : [[name, value] as const];
  });
  for (const [name] of given) url.searchParams.delete(name);
  const parameters = Object.fromEntries(given) as Readonly<Partial<Record<N, string>>>;
  return { ...parameters, url: given.length === 0 ? address : url.href };
}

function isUrl(address: string): boolean {
  return /^[a-z]+:\/\//.test(address) && URL.canParse(address);
}

const FORMS: Readonly<Record<string, string>> = {
  redis: "redis://user:password@host:6379",
  rediss: "rediss://user:password@host:6379",
  postgres: "postgres://user:password@host:5432/database",
  postgresql: "postgresql://user:password@host:5432/database",
  sqlite: "sqlite:./.sessions, which names a folder",
  datastore: "datastore: alone; DATASTORE_PROJECT_ID and others say where",
};

function instead(scheme: string | undefined): string {
  const form = scheme === undefined ? undefined : FORMS[scheme];
  if (form !== undefined && scheme !== undefined && Object.hasOwn(FORMS, scheme)) {
    return `is not a valid ${scheme}: address; write ${form}`;
  }
  return "names no store; write redis://…, rediss://…, postgres://…, sqlite:./.sessions or datastore:";
}
