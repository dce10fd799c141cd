import { crc32 } from "node:zlib";
import { SessionError } from "../../errors";

/** The version of the tables that this version of coatcheck makes and uses. */
export const SCHEMA_VERSION = 1;

/** Where the tables are. */
export interface TablePlace {
  /** The schema, up to 63 bytes. Default `"public"`. */
  readonly schema: string;
  /** The table of live sessions; the names of the others begin with it. */
  readonly table: string;
}

/** The names of the tables, quoted. */
export class TableNames {
  readonly schema: string;
  readonly live: string;
  readonly ended: string;
  /** Holds the version of the tables. */
  readonly meta: string;
  readonly #place: TablePlace;

  constructor(place: TablePlace) {
    this.#place = place;
    this.schema = identifier(place.schema);
    this.live = this.#named("");
    this.ended = this.#named("_ended");
    this.meta = this.#named("_meta");
  }

  /** An index is in the schema of its table. */
  index(name: string): string {
    return identifier(`${this.#place.table}_${name}`);
  }

  /** The key of the advisory lock under which the tables are made: the same for the same tables. */
  get lock(): string {
    return `${APPLICATION_ID}, ${crc32(`${this.schema}.${this.live}`) | 0}`;
  }

  #named(suffix: string): string {
    return `${this.schema}.${identifier(this.#place.table + suffix)}`;
  }
}

/** "Coat" in ASCII, so that no lock of the app's is in the way. */
const APPLICATION_ID = 0x436f6174;

function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** How many characters of an owner are in the indexes: PostgreSQL takes no entry of more than 2,700 bytes. */
const INDEXED_CHARACTERS = 500;

/** What owners are looked up by, before they are compared. */
export function ownerPrefix(owner: string): string {
  return `left(${owner}, ${INDEXED_CHARACTERS})`;
}

/** A number of ten minutes, counted from the epoch; NULL for what never comes. */
export function sweepOf(purgeAt: string): string {
  return `CASE WHEN ${purgeAt} < 'Infinity' THEN least(floor(${purgeAt} / 600000), 2176782335)::bigint END`;
}

/**
 * What makes the tables, one version after the other. Each statement may be repeated, and none takes anything away.
 *
 * Instants are milliseconds since the epoch, and may be Infinity. What every touch writes is in no index, and pages
 * are filled to 80 %, so that a touch stays on its page and writes no index (a heap-only tuple). `sweep` says before
 * when a clearing need not look at a row: touches leave it as it is, and the clearing moves it on.
 */
const VERSIONS: readonly ((names: TableNames) => readonly string[])[] = [
  (names) => [
    `CREATE TABLE IF NOT EXISTS ${names.live} (
  id text COLLATE "C" PRIMARY KEY,
  format smallint NOT NULL,
  version bigint NOT NULL,
  owner text COLLATE "C" NOT NULL,
  project text COLLATE "C" NOT NULL,
  scope text COLLATE "C" NOT NULL,
  created_at float8 NOT NULL,
  last_seen_at float8 NOT NULL,
  idle_ms float8 NOT NULL,
  ends_at float8 NOT NULL,
  expires_at float8 NOT NULL,
  purge_at float8 NOT NULL,
  sweep bigint,
  remote_address text NOT NULL,
  user_agent text NOT NULL,
  data jsonb NOT NULL,
  attributes jsonb NOT NULL,
  keys jsonb NOT NULL,
  pages jsonb NOT NULL,
  counters jsonb NOT NULL
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05)`,
    `CREATE INDEX IF NOT EXISTS ${names.index("owner")} ON ${names.live} (${ownerPrefix("owner")}, id)`,
    `CREATE INDEX IF NOT EXISTS ${names.index("sweep")} ON ${names.live} (sweep)`,
    `CREATE TABLE IF NOT EXISTS ${names.ended} (
  id text COLLATE "C" PRIMARY KEY,
  format smallint NOT NULL,
  owner text COLLATE "C" NOT NULL,
  project text COLLATE "C" NOT NULL,
  scope text COLLATE "C" NOT NULL,
  created_at float8 NOT NULL,
  last_seen_at float8 NOT NULL,
  remote_address text NOT NULL,
  user_agent text NOT NULL,
  ended_at float8 NOT NULL,
  reason text NOT NULL,
  ended_by text,
  message text,
  purge_at float8 NOT NULL,
  bytes_sent float8
)`,
    `CREATE INDEX IF NOT EXISTS ${names.index("ended_owner")} ON ${names.ended} (${ownerPrefix("owner")}, id)`,
    `CREATE INDEX IF NOT EXISTS ${names.index("ended_purge")} ON ${names.ended} (purge_at)`,
    `CREATE TABLE IF NOT EXISTS ${names.meta} (version integer NOT NULL)`,
    `INSERT INTO ${names.meta} SELECT 1 WHERE NOT EXISTS (SELECT FROM ${names.meta})`,
  ],
];

/**
 * The SQL that makes the tables, as one transaction. It may be run again and by many at once, and takes nothing away.
 * The schema is made too, unless `hasSchema`.
 */
export function tablesSql(place: TablePlace, { hasSchema = place.schema === "public" } = {}): string {
  const names = new TableNames(place);
  const statements = [
    "BEGIN",
    `SELECT pg_advisory_xact_lock(${names.lock})`,
    ...(hasSchema ? [] : [`CREATE SCHEMA IF NOT EXISTS ${names.schema}`]),
    ...VERSIONS.flatMap((version) => version(names)),
    "COMMIT",
  ];
  return statements.map((statement) => `${statement};\n`).join("");
}

/** Throws `SESSION_STORE` where the tables are of a version that this coatcheck does not know. */
export function assertKnownVersion(version: number, names: TableNames): void {
  if (version <= SCHEMA_VERSION) return;
  throw new SessionError(
    "SESSION_STORE",
    `The tables of ${names.live} have version ${version}, and this version of coatcheck knows ${SCHEMA_VERSION}; upgrade coatcheck.`,
  );
}
