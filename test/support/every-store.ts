import { execFileSync } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Datastore } from "@google-cloud/datastore";
import { DatastoreStore } from "../../lib/stores/datastore/datastore-store";
import { PostgresStore } from "../../lib/stores/postgres/postgres-store";
import { SqliteStore } from "../../lib/stores/sqlite/sqlite-store";
import { RedisKeys } from "../../lib/stores/redis/redis-keys";
import { RedisStore } from "../../lib/stores/redis/redis-store";
import { MemoryStore } from "../../lib/stores/memory-store";
import type { SessionStore } from "../../lib/stores/store";
import type { StoreOptions } from "../../lib/stores/store-options";
import { describeOnEmulator, emulatorHost, freshNamespace } from "./datastore-emulator";
import { describeOnPostgres, freshSchema, inPostgres, postgresUrl } from "./postgres-server";
import {
  describeOnRedis,
  forgetPrefix,
  freshPrefix,
  redisClients,
  redisBytes,
  redisUrl,
  withRedis,
} from "./redis-server";
import type { GivenClient } from "./redis-server";
import { inFile } from "./sqlite-checks";

/**
 * One of our stores. Every store that it opens is empty, shares nothing with others, and is released after the suite.
 */
export interface EveryStore {
  readonly name: "MemoryStore" | "SqliteStore" | "DatastoreStore" | "RedisStore" | "PostgresStore";
  open(options?: StoreOptions): Promise<SessionStore>;
  /** All that a store of this suite keeps, as raw bytes. */
  bytesOf(store: SessionStore): Promise<Buffer>;
  /**
   * Makes a stored session look as if a later version had written it. Absent if no other version can write to the
   * store.
   */
  readonly writeNewerFormat?: (store: SessionStore, id: string) => Promise<void>;
  /**
   * Damages a stored session, in its data or its header, so that it can't be read. Absent if nothing can be damaged.
   */
  readonly damage?: (store: SessionStore, id: string, part: DamagedPart) => Promise<void>;
}

export type DamagedPart = "data" | "header";

/**
 * Runs a suite on MemoryStore, SqliteStore and, where their servers can be had, RedisStore, PostgresStore and
 * DatastoreStore.
 */
export function describeOnEveryStore(name: string, body: (store: EveryStore) => void): void {
  describe(`${name}, on MemoryStore`, () => body(memory()));
  describe(`${name}, on SqliteStore`, () => body(sqlite()));
  describeOnRedis(`${name}, on RedisStore`, () => body(redis()));
  describeOnEmulator(`${name}, on DatastoreStore`, () => body(datastore()));
  describeOnPostgres(`${name}, on PostgresStore`, () => body(postgres()));
}

function memory(): EveryStore {
  return {
    name: "MemoryStore",
    open: async (options) => new MemoryStore(options),
    bytesOf: async (store) => {
      const parts: string[] = [];
      for (const state of ["live", "ended"] as const) {
        for await (const record of store.find({ state })) collect(record, parts);
      }
      return Buffer.from(parts.join("\n"), "latin1");
    },
  };
}

function sqlite(): EveryStore {
  const paths = new Map<SessionStore, string>();
  afterAll(async () => {
    for (const [store, path] of paths) {
      await store.close();
      await rm(path, { recursive: true });
    }
  });
  return {
    name: "SqliteStore",
    open: async (options) => {
      const path = await mkdtemp(join(tmpdir(), "coatcheck-test-"));
      const store = new SqliteStore({ ...options, path });
      paths.set(store, path);
      return store;
    },
    bytesOf: async (store) => {
      const path = known(paths.get(store));
      const names = (await readdir(path)).map((name) => join(path, name));
      // In another process: this one has the session file open, and would lose its locks if it opened and closed it
      // again (POSIX).
      return execFileSync("cat", names, { maxBuffer: Infinity, stdio: ["ignore", "pipe", "inherit"] });
    },
    writeNewerFormat: async (store, id) => {
      inFile(known(paths.get(store)), (db) => db.prepare("UPDATE session SET format = ? WHERE id = ?").run(NEWER, id));
    },
    damage: async (store, id, part) => {
      const set = part === "data" ? "data = '{'" : "created_at = 1";
      inFile(known(paths.get(store)), (db) => db.prepare(`UPDATE session SET ${set} WHERE id = ?`).run(id));
    },
  };
}

/** The stores of a suite have clients of all kinds, one after the other, and some have their own. */
function redis(): EveryStore {
  const prefixes = new Map<SessionStore, string>();
  const clients: GivenClient[] = [];
  afterAll(async () => {
    await Promise.all([...prefixes.keys()].map((store) => store.close()));
    for (const client of clients) await client.close();
    for (const prefix of prefixes.values()) await forgetPrefix(prefix);
  });
  const overwrite = (store: SessionStore, id: string, field: string, value: string) => {
    const prefix = known(prefixes.get(store));
    return withRedis((client) => client.hSet(new RedisKeys(prefix, SHARDS).record("s", id), field, value));
  };
  return {
    name: "RedisStore",
    open: async (options) => {
      const prefix = freshPrefix();
      const given = await redisClients[prefixes.size % (redisClients.length + 1)]?.connect(redisUrl());
      if (given !== undefined) clients.push(given);
      const where = given === undefined ? { url: redisUrl() } : { client: given.client };
      const store = new RedisStore({ ...where, prefix, shards: SHARDS, timeoutMs: 20_000, ...options });
      prefixes.set(store, prefix);
      return store;
    },
    bytesOf: (store) => redisBytes(known(prefixes.get(store))),
    writeNewerFormat: async (store, id) => {
      await overwrite(store, id, "v", String(NEWER));
    },
    damage: async (store, id, part) => {
      await (part === "data" ? overwrite(store, id, "Ddamaged", "no value") : overwrite(store, id, "c", "no number"));
    },
  };
}

function datastore(): EveryStore {
  const namespaces = new Map<SessionStore, string>();
  afterAll(() => Promise.all([...namespaces.keys()].map((store) => store.close())));
  return {
    name: "DatastoreStore",
    open: async (options) => {
      const namespace = freshNamespace();
      const store = new DatastoreStore({
        ...{ projectId: PROJECT, emulatorHost: emulatorHost(), namespace, timeoutMs: 20_000 },
        ...options,
      });
      namespaces.set(store, namespace);
      await store.load("a first call, which connects");
      return store;
    },
    bytesOf: async (store) => {
      const namespace = known(namespaces.get(store));
      const client = clientFor(namespace);
      // Without a kind, it finds whatever is there.
      const [entities] = await client.runQuery(client.createQuery(), { wrapNumbers: true });
      const parts: string[] = [];
      for (const entity of entities) collect([entity, entity[client.KEY]], parts);
      return Buffer.from(parts.join("\n"), "latin1");
    },
    writeNewerFormat: async (store, id) => {
      const client = clientFor(known(namespaces.get(store)));
      await client.merge({ key: client.key(["session", id]), data: { v: NEWER } });
    },
    damage: async (store, id, part) => {
      const client = clientFor(known(namespaces.get(store)));
      const data = part === "data" ? { data: "no entity" } : { createdAt: "no number" };
      await client.merge({ key: client.key(["session", id]), data });
    },
  };
}

function postgres(): EveryStore {
  const schemas = new Map<SessionStore, string>();
  const tableOf = (store: SessionStore) => `${known(schemas.get(store))}.coatcheck_session`;
  afterAll(() => Promise.all([...schemas.keys()].map((store) => store.close())));
  return {
    name: "PostgresStore",
    open: async (options) => {
      const schema = freshSchema();
      // Many stores are open at once, and the server takes a hundred connections.
      const poolOptions = { max: POOL_SIZE, idleTimeoutMillis: 200 };
      const store = new PostgresStore({ url: postgresUrl(), poolOptions, schema, timeoutMs: 20_000, ...options });
      schemas.set(store, schema);
      await store.migrate();
      return store;
    },
    bytesOf: async (store) => {
      const parts: string[] = [];
      for (const table of [tableOf(store), `${tableOf(store)}_ended`, `${tableOf(store)}_meta`]) {
        const { rows } = await inPostgres(`SELECT * FROM ${table}`);
        collect(rows, parts);
        for (const { data } of rows) for (const value of Object.values(Object(data))) collect(bytesIn(value), parts);
      }
      return Buffer.from(parts.join("\n"), "latin1");
    },
    writeNewerFormat: async (store, id) => {
      await inPostgres(`UPDATE ${tableOf(store)} SET format = $1 WHERE id = $2`, [NEWER, id]);
    },
    damage: async (store, id, part) => {
      const set = part === "data" ? "data = '[]'" : "created_at = 'NaN'";
      await inPostgres(`UPDATE ${tableOf(store)} SET ${set} WHERE id = $1`, [id]);
    },
  };
}

/** The bytes that a stored value holds as base64, if it does. */
function bytesIn(value: unknown): Buffer {
  return Buffer.from(String((value as { base64?: unknown }).base64 ?? ""), "base64");
}

/** The shards of a RedisStore: fewer than by default, so that there are fewer to go through. */
const SHARDS = 4;
/** How many connections a PostgresStore of `describeOnEveryStore` has at most. */
export const POOL_SIZE = 4;

const PROJECT = "demo-coatcheck";
/** A format that this version does not know. */
const NEWER = 2;

// Otherwise Google's client looks for a network of Google's, even though it was given an emulator.
process.env.METADATA_SERVER_DETECTION ??= "none";

function clientFor(namespace: string): Datastore {
  return new Datastore({ projectId: PROJECT, namespace, apiEndpoint: emulatorHost() });
}

function known<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("This store is not one that the suite opened.");
  return value;
}

/** Every name, text and byte in what was stored, as latin1, so that one search finds texts and bytes alike. */
function collect(value: unknown, parts: string[], seen = new Set<object>()): void {
  if (typeof value === "object" && value !== null) {
    if (seen.has(value)) return;
    seen.add(value);
    if (value instanceof Uint8Array || Buffer.isBuffer(value)) {
      parts.push(Buffer.from(value).toString("latin1"));
      return;
    }
    for (const [name, inner] of Object.entries(value)) {
      parts.push(Buffer.from(name).toString("latin1"));
      collect(inner, parts, seen);
    }
    return;
  }
  parts.push(Buffer.from(String(value)).toString("latin1"));
}
