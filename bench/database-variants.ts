import { basename } from "node:path";
import type * as CoatcheckPostgres from "coatcheck/postgres";
import type * as CoatcheckRedis from "coatcheck/redis";
import type ConnectPgSimple from "connect-pg-simple";
import type * as ConnectRedis from "connect-redis";
import type * as IoRedis from "ioredis";
import type * as Pg from "pg";
import type * as Redis from "redis";
import { OURS, installExpressSession, installOurs, load } from "./install";
import type { Variant } from "./variants";

export const REDIS = "coatcheck, Redis";
export const IOREDIS = "coatcheck, Redis by ioredis";
export const POSTGRES = "coatcheck, PostgreSQL";
export const CONNECT_REDIS = "express-session, connect-redis";
export const CONNECT_REDIS_UNTOUCHED = `${CONNECT_REDIS}, disableTouch`;
export const CONNECT_PG = "express-session, connect-pg-simple";
export const CONNECT_PG_UNTOUCHED = `${CONNECT_PG}, disableTouch`;

const OUR_REDIS = "../dist/stores/redis/redis-store.js";
const OUR_POSTGRES = "../dist/stores/postgres/postgres-store.js";

/** Each is given a client or a pool with its defaults, as its peers are. */
export const OUR_DATABASE_VARIANTS: readonly Variant[] = [
  {
    name: REDIS,
    needs: [OURS, OUR_REDIS, "redis"],
    optional: true,
    service: "redis",
    survivesRestart: true,
    install: async (app) => {
      const client = (load("redis") as typeof Redis).createClient({ url: redisUrl() });
      await client.connect();
      const close = installOurs(app, new (load(OUR_REDIS) as typeof CoatcheckRedis).RedisStore({ client }));
      return async () => {
        await close();
        await client.close();
      };
    },
  },
  {
    name: IOREDIS,
    needs: [OURS, OUR_REDIS, "ioredis"],
    optional: true,
    service: "redis",
    survivesRestart: true,
    install: (app) => {
      const client = new (load("ioredis") as typeof IoRedis).Redis(redisUrl());
      const close = installOurs(app, new (load(OUR_REDIS) as typeof CoatcheckRedis).RedisStore({ client }));
      return async () => {
        await close();
        await client.quit();
      };
    },
  },
  {
    name: POSTGRES,
    needs: [OURS, OUR_POSTGRES, "pg"],
    optional: true,
    service: "postgres",
    survivesRestart: true,
    install: (app, folder) => {
      const pool = postgresPool();
      const { PostgresStore } = load(OUR_POSTGRES) as typeof CoatcheckPostgres;
      const close = installOurs(app, new PostgresStore({ pool, schema: basename(folder) }));
      return async () => {
        await close();
        await pool.end();
      };
    },
  },
];

export const PEER_DATABASE_VARIANTS: readonly Variant[] = [
  // As its documentation sets it up, with a touch at each request; and as it recommends to save those calls.
  connectRedis(CONNECT_REDIS, {}),
  connectRedis(CONNECT_REDIS_UNTOUCHED, { disableTouch: true }),
  // With the pool that its documentation recommends, its own pruning, and its defaults; and with the same saving.
  connectPgSimple(CONNECT_PG, {}),
  connectPgSimple(CONNECT_PG_UNTOUCHED, { disableTouch: true }),
];

function connectRedis(name: string, options: { readonly disableTouch?: boolean }): Variant {
  return {
    name,
    needs: ["express-session", "redis", "connect-redis"],
    optional: true,
    service: "redis",
    survivesRestart: true,
    install: async (app) => {
      const client = (load("redis") as typeof Redis).createClient({ url: redisUrl() });
      await client.connect();
      const { RedisStore } = load("connect-redis") as typeof ConnectRedis;
      installExpressSession(app, new RedisStore({ client, ...options }));
      return () => client.close();
    },
  };
}

function connectPgSimple(name: string, options: { readonly disableTouch?: boolean }): Variant {
  return {
    name,
    needs: ["express-session", "pg", "connect-pg-simple"],
    optional: true,
    service: "postgres",
    survivesRestart: true,
    install: async (app, folder) => {
      const pool = postgresPool();
      const schemaName = basename(folder);
      await pool.query(`CREATE SCHEMA IF NOT EXISTS "${schemaName}"`);
      const Store = (load("connect-pg-simple") as typeof ConnectPgSimple)(load("express-session"));
      installExpressSession(app, new Store({ pool, schemaName, createTableIfMissing: true, ...options }));
      return () => pool.end();
    },
  };
}

function redisUrl(): string {
  return process.env.REDIS_URL ?? "";
}

function postgresPool(): Pg.Pool {
  return new (load("pg") as typeof Pg).Pool({ connectionString: process.env.POSTGRES_URL ?? "" });
}
