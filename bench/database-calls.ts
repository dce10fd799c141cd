import { createRequire } from "node:module";
import type * as Pg from "pg";
import type * as Redis from "redis";
import type { Service } from "./services";

/** The services that are databases with clients of their own, and count what they are asked. */
export type Database = Exclude<Service, "datastore">;

/** What a database counts itself, since it began. */
export interface DatabaseCalls {
  readonly calls: number;
  /** The time that it took inside the database, in microseconds. */
  readonly us: number;
}

/** Asks a database what it has counted. */
export interface DatabaseWatch {
  /** By command, or by the first word of a statement. */
  calls(): Promise<Readonly<Record<string, DatabaseCalls>>>;
  /** The bytes of all that is stored, in memory or on disk; in PostgreSQL, of one schema. */
  bytes(schema: string): Promise<number>;
  close(): Promise<void>;
}

/**
 * What the measured clients send. Redis counts the commands inside scripts too; none of the scripts that requests run
 * has one of these.
 */
const REDIS_COMMANDS = ["get", "set", "expire", "hgetall", "eval", "evalsha"];

const load = createRequire(__filename);

export async function watchDatabase(database: Database): Promise<DatabaseWatch> {
  return await (database === "redis" ? watchRedis() : watchPostgres());
}

async function watchRedis(): Promise<DatabaseWatch> {
  const client = (load("redis") as typeof Redis).createClient({ url: process.env.REDIS_URL ?? "" });
  await client.connect();
  return {
    calls: async () => {
      const lines = (await client.info("commandstats")).matchAll(/^cmdstat_(\w+):calls=(\d+),usec=(\d+)/gm);
      const all = [...lines].map(
        ([, name = "", calls, us]) => [name, { calls: Number(calls), us: Number(us) }] as const,
      );
      return Object.fromEntries(all.filter(([name]) => REDIS_COMMANDS.includes(name)));
    },
    bytes: async () => Number(/^used_memory:(\d+)/m.exec(await client.info("memory"))?.[1]),
    close: () => client.close(),
  };
}

async function watchPostgres(): Promise<DatabaseWatch> {
  const { Pool } = load("pg") as typeof Pg;
  const pool = new Pool({ connectionString: process.env.POSTGRES_URL ?? "", max: 1 });
  await pool.query("CREATE EXTENSION IF NOT EXISTS pg_stat_statements");
  return {
    calls: async () => {
      const { rows } = await pool.query<{ word: string; calls: string; us: string }>(
        `SELECT upper(substring(ltrim(query, E' \\n') FROM '^\\w+')) AS word, sum(calls) AS calls,
                sum(total_exec_time) * 1000 AS us
         FROM pg_stat_statements WHERE query NOT LIKE '%pg_stat_statements%' GROUP BY 1`,
      );
      return Object.fromEntries(rows.map(({ word, calls, us }) => [word, { calls: Number(calls), us: Number(us) }]));
    },
    bytes: async (schema) => {
      await pool.query("ANALYZE");
      const { rows } = await pool.query<{ bytes: string }>(
        `SELECT sum(pg_total_relation_size(oid)) AS bytes FROM pg_class
         WHERE relkind = 'r' AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1)`,
        [schema],
      );
      return Number(rows[0]?.bytes);
    },
    close: () => pool.end(),
  };
}
