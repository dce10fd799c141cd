import { createRequire } from "node:module";
import type { SessionStore } from "coatcheck";
import type * as CoatcheckPostgres from "coatcheck/postgres";
import type * as CoatcheckRedis from "coatcheck/redis";
import type * as CoatcheckSqlite from "coatcheck/sqlite";
import type { Database } from "./database-calls";

/**
 * Where a store keeps its sessions, as an argument of a process: a folder, `redis:<prefix>` or `postgres:<schema>`.
 */
export type Place = string;

const FORM = /^(redis|postgres):(.+)$/;

/** Many sessions are created at once, and wait for each other. In milliseconds. */
const TIMEOUT_MS = 120_000;

const load = createRequire(__filename);

export function placeIn(database: Database, name: string): Place {
  return `${database}:${name}`;
}

/** The database of a place; `undefined` for a folder. */
export function databaseOf(place: Place): Database | undefined {
  return FORM.exec(place)?.[1] as Database | undefined;
}

/** Where it is only to be filled, PostgreSQL doesn't wait for the disk. */
export function openPlace(place: Place, { isFilled = false } = {}): SessionStore {
  const name = FORM.exec(place)?.[2] ?? "";
  switch (databaseOf(place)) {
    case "redis": {
      const { RedisStore } = load("../dist/stores/redis/redis-store.js") as typeof CoatcheckRedis;
      return new RedisStore({ url: process.env.REDIS_URL ?? "", prefix: name, timeoutMs: TIMEOUT_MS });
    }
    case "postgres": {
      const { PostgresStore } = load("../dist/stores/postgres/postgres-store.js") as typeof CoatcheckPostgres;
      const poolOptions = isFilled ? { options: "-c synchronous_commit=off" } : {};
      const url = process.env.POSTGRES_URL ?? "";
      return new PostgresStore({ url, poolOptions, schema: name, timeoutMs: TIMEOUT_MS });
    }
    case undefined:
      return new (load("../dist/stores/sqlite/sqlite-store.js") as typeof CoatcheckSqlite).SqliteStore({ path: place });
  }
}
