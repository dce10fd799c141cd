import { aClock, anAddressOrNone, anObject, aText, milliseconds } from "../../options/reader/option-kinds";
import { readOptions, refuse, RefusedOptions } from "../../options/reader/read-options";
import type { Option, OptionTable, ReadOptions } from "../../options/reader/read-options";
import { FOREIGN_STORE_OPTIONS } from "../store-options";
import type { StoreOptions } from "../store-options";
import type { PostgresPool } from "./postgres-calls";
import { tablesSql } from "./schema";
import type { TablePlace } from "./schema";

/** One of `pool` and `url` is required. */
export interface PostgresStoreOptions extends StoreOptions {
  /** A `Pool` of `pg`. The store uses it and never ends it. */
  readonly pool?: PostgresPool;
  /** `postgres://user:password@host:5432/database`. The store makes a pool of `pg`, and ends it when it is closed. */
  readonly url?: string;
  /** Further options of the pool that is made for `url`, such as `{ max: 20, ssl: { ca } }`. */
  readonly poolOptions?: Readonly<Record<string, unknown>>;
  /** The schema of the tables. The `search_path` is not used. Default `"public"`. */
  readonly schema?: string;
  /** The table of live sessions; ended ones are in `<table>_ended`. Up to 40 bytes. Default `"coatcheck_session"`. */
  readonly table?: string;
  /**
   * The deadline of every call to PostgreSQL, in milliseconds. Default 5,000. Give it the value of `storeTimeout`: with
   * more, a change may be stored long after its request was told that it failed.
   */
  readonly timeoutMs?: number;
}

/** PostgreSQL cuts longer names off (NAMEDATALEN). */
const MAX_NAME_BYTES = 63;
/** Leaves room for what is added to it in the names of indexes. */
const MAX_TABLE_BYTES = 40;

const URL_HINT = 'write url: "postgres://user@host:5432/database"';
const POOL_HINT = "write pool: new Pool({ … })";

const ENTRIES = {
  pool: {
    read: aPool,
    foreign: { client: POOL_HINT, pgPromise: POOL_HINT, db: POOL_HINT, connection: POOL_HINT },
  },
  url: {
    read: anAddressOrNone(["postgres", "postgresql"], URL_HINT),
    foreign: { conString: URL_HINT, conObject: POOL_HINT, connectionString: URL_HINT, uri: URL_HINT },
  },
  poolOptions: { read: anObject("{ max: 20 }"), foreign: { max: "write poolOptions: { max: 20 }" } },
  schema: {
    read: aText("public", (name) => isIdentifier(name, MAX_NAME_BYTES), "write the name of a schema, up to 63 bytes"),
    foreign: { schemaName: 'write schema: "public"' },
  },
  table: {
    read: aText(
      "coatcheck_session",
      (name) => isIdentifier(name, MAX_TABLE_BYTES),
      "write a name for the table, up to 40 bytes",
    ),
    foreign: { tableName: 'write table: "coatcheck_session"' },
  },
  timeoutMs: { read: milliseconds(5_000), foreign: { timeout: "write timeoutMs: 5_000" } },
  now: { read: aClock },
} as const satisfies Record<keyof PostgresStoreOptions, Option>;

const POSTGRES_OPTIONS: OptionTable<typeof ENTRIES> = {
  of: "PostgresStore",
  example: '{ url: "postgres://user@host:5432/database" }',
  options: ENTRIES,
  foreign: {
    ...FOREIGN_STORE_OPTIONS,
    createTableIfMissing: "leave it out: the tables are made where the role may",
    pruneSessionInterval: "write clearSchedule in the options of sessionMiddleware",
    errorLog: "leave it out: requests fail with the store's errors",
  },
};

/** The options with their defaults. Throws `SESSION_CONFIG` where one can't be used. */
export function resolvePostgresOptions(options: PostgresStoreOptions) {
  return readOptions(POSTGRES_OPTIONS, options, assertOneSource);
}

/**
 * The SQL that makes the tables, as one transaction, with the defaults of the store's options. It may be run again and
 * by many at once, and takes nothing away. Throws `SESSION_CONFIG` for a name that the options would not take.
 */
export function migrationSql(place: Partial<TablePlace> = {}): string {
  const { schema, table } = ENTRIES;
  const example = '{ schema: "public" }';
  return tablesSql(readOptions({ of: "migrationSql", example, options: { schema, table } }, place));
}

function assertOneSource({ pool, url, poolOptions }: Partial<ReadOptions<typeof ENTRIES>>): void {
  if ((pool === undefined) === (url === undefined)) {
    throw new RefusedOptions([`PostgresStore takes either a pool or a url: ${POOL_HINT}, or ${URL_HINT}.`]);
  }
  if (pool !== undefined && poolOptions !== undefined) {
    throw new RefusedOptions(["Option poolOptions of PostgresStore goes with url; a pool already has its own."]);
  }
}

function aPool(value: unknown, option: string): PostgresPool | undefined {
  if (value === undefined) return undefined;
  const methods = ["connect", "on", "removeListener", "end"] as const;
  const pool = Object(value) as Record<string, unknown>;
  if (methods.every((name) => typeof pool[name] === "function") && "totalCount" in pool) return value as PostgresPool;
  return refuse(option, value, "give a Pool of the package pg");
}

/** Any text will do, since it is quoted; PostgreSQL can't hold NUL. */
function isIdentifier(name: string, maxBytes: number): boolean {
  return name !== "" && !name.includes("\0") && name.isWellFormed() && Buffer.byteLength(name) <= maxBytes;
}
