import {
  aClock,
  aText,
  anAddressOrNone,
  aWholeNumber,
  instanceOr,
  milliseconds,
} from "../../options/reader/option-kinds";
import { readOptions, refuse, RefusedOptions } from "../../options/reader/read-options";
import type { Option, OptionTable, ReadOption } from "../../options/reader/read-options";
import { FOREIGN_STORE_OPTIONS } from "../store-options";
import type { StoreOptions } from "../store-options";

/** A client of the package `redis` (its client, pool, cluster or sentinel) or of `ioredis` (its Redis or Cluster). */
export interface RedisClient {
  /** Sends one command. The arguments are those of the client's own package. */
  sendCommand(...command: never[]): unknown;
}

export interface RedisStoreOptions extends StoreOptions {
  /** A connected client, which the store never closes. */
  readonly client?: RedisClient;
  /**
   * Where Redis is, such as `redis://user:password@host:6379/0`, or `rediss://…` with TLS. The store makes a client of
   * the package `redis`, connects it at the first call, and closes it. Instead of `client`.
   */
  readonly url?: string;
  /** What every key begins with, in braces: up to 64 letters, digits, `-`, `_`, `.` and `:`. Default `"coatcheck"`. */
  readonly prefix?: string;
  /**
   * Over how many hash slots of a Redis Cluster the sessions are spread: 1, 2, 4, … 64. It must be the same in all
   * processes, and must not change while sessions are stored. Default 16.
   */
  readonly shards?: number;
  /**
   * How many replicas must have a change before it counts as stored (`WAIT`); where they don't in time, the request
   * fails. Default 0: a change is stored when the primary has it in its memory.
   */
  readonly replicas?: number;
  /**
   * The deadline of every call to Redis, in milliseconds; nothing is sent later than this after it was asked for.
   * Default 5,000. Give it the value of `storeTimeout`.
   */
  readonly timeoutMs?: number;
}

const CLIENT = "give a connected client of the package redis or ioredis";
const WHERE = 'write client: a connected client, or url: "redis://127.0.0.1:6379"';
const URL_FORM = 'write "redis://host:6379" or "rediss://host:6379"; for anything else give a client';
const MAX_SHARDS = 64;

const aClient: ReadOption<RedisClient | undefined> = (value, option) => {
  if (value === undefined) return undefined;
  const { sendCommand } = Object(value) as Partial<RedisClient>;
  return typeof sendCommand === "function" && typeof value === "object"
    ? (value as RedisClient)
    : refuse(option, value, instanceOr(value, CLIENT));
};

const shardCount: ReadOption<number> = (value, option, isGiven) => {
  const instead = "give 1, 2, 4, 8, 16, 32 or 64";
  const shards = aWholeNumber(16, 1, instead)(value, option, isGiven);
  return shards <= MAX_SHARDS && (shards & (shards - 1)) === 0 ? shards : refuse(option, value, instead);
};

const ENTRIES = {
  client: {
    read: aClient,
    foreign: { redis: WHERE, redisClient: WHERE, connection: WHERE, host: WHERE, port: WHERE, socket: WHERE },
  },
  url: {
    read: anAddressOrNone(["redis", "rediss"], URL_FORM),
    foreign: { uri: 'write url: "redis://127.0.0.1:6379"', connectionString: 'write url: "redis://127.0.0.1:6379"' },
  },
  prefix: {
    read: aText("coatcheck", (text) => /^[\w.:-]{1,64}$/.test(text), "write up to 64 letters, digits, -, _, . and :"),
    foreign: { keyPrefix: 'write prefix: "coatcheck"' },
  },
  shards: { read: shardCount },
  replicas: { read: aWholeNumber(0, 0, "give a number of replicas, such as 1") },
  timeoutMs: { read: milliseconds(5_000), foreign: { timeout: "write timeoutMs: 5_000" } },
  now: { read: aClock },
} as const satisfies Record<keyof RedisStoreOptions, Option>;

const REDIS_OPTIONS: OptionTable<typeof ENTRIES> = {
  of: "RedisStore",
  example: '{ url: "redis://127.0.0.1:6379" }',
  options: ENTRIES,
  foreign: { ...FOREIGN_STORE_OPTIONS, scanCount: "leave it out: nothing is scanned" },
};

/** The options with their defaults. Throws `SESSION_CONFIG` where one can't be used. */
export function resolveRedisOptions(options: RedisStoreOptions) {
  return readOptions(REDIS_OPTIONS, options, ({ client, url, replicas }) => {
    if (client !== undefined && url !== undefined) {
      throw new RefusedOptions(["RedisStore takes a client or a url, not both."]);
    }
    if (client !== undefined && "execute" in client && "totalClients" in client && (replicas ?? 0) > 0) {
      refuse(
        "replicas of RedisStore",
        replicas,
        "leave it out beside a pool, or give one client: it waits on the connection that wrote",
      );
    }
    if (client === undefined && url === undefined && !("client" in options) && !("url" in options)) {
      refuse("client of RedisStore", undefined, WHERE);
    }
  });
}
