import { createClient } from "redis";
import { createClient as createClient6 } from "redis6";
import { Redis } from "ioredis";
import { Redis as Redis6 } from "ioredis6";
import type { RedisClient } from "../../lib/stores/redis/redis-options";

/**
 * Where the tests find Redis: the server that `COATCHECK_TEST_REDIS` names, or the one on this machine
 * (`start-redis.ts`). Every store in it has a prefix of its own.
 */
const url = process.env.COATCHECK_TEST_REDIS;

/** The server's URL, for tests inside `describeOnRedis`. */
export function redisUrl(): string {
  if (url === undefined) throw new Error("There is no Redis: see the start of the output.");
  return url;
}

/** `describe` for tests that need Redis. Without it they are skipped; on a build server (`CI`) they fail instead. */
export function describeOnRedis(name: string, body: () => void): void {
  if (url === undefined && !process.env.CI) describe.skip(name, body);
  else describe(name, body);
}

/** A prefix that no other test uses. */
export function freshPrefix(): string {
  return `test-${process.pid}-${Date.now().toString(36)}-${(prefixes += 1)}`;
}

let prefixes = 0;

/** A client of the app's: all of the clients that the store takes. */
export interface GivenClient {
  readonly client: RedisClient;
  close(): Promise<void>;
}

interface NodeRedis extends RedisClient {
  on(event: "error", listener: () => void): unknown;
  connect(): Promise<unknown>;
  close(): Promise<void>;
}

export async function nodeRedis(client: NodeRedis): Promise<GivenClient> {
  client.on("error", () => undefined);
  await client.connect();
  return { client, close: () => client.close() };
}

interface IoRedis extends RedisClient {
  once(event: "ready", listener: () => void): unknown;
  quit(): Promise<unknown>;
}

export async function ioRedis(client: IoRedis): Promise<GivenClient> {
  await new Promise<void>((resolve) => client.once("ready", resolve));
  return {
    client,
    close: async () => {
      await client.quit();
    },
  };
}

export const redisClients: readonly {
  readonly name: string;
  readonly connect: (url: string) => Promise<GivenClient>;
}[] = [
  { name: "redis 5", connect: (at) => nodeRedis(createClient({ url: at })) },
  { name: "redis 6", connect: (at) => nodeRedis(createClient6({ url: at })) },
  { name: "ioredis 5", connect: (at) => ioRedis(new Redis(at)) },
  { name: "ioredis 6", connect: (at) => ioRedis(new Redis6(at)) },
];

/** Deletes all that stores of this prefix have left. */
export async function forgetPrefix(prefix: string): Promise<void> {
  await withRedis(async (client) => {
    for (const key of await keysOf(client, prefix)) await client.unlink(key);
  });
}

/** All that stores of this prefix keep: the names of the keys, and what is in them. */
export function redisBytes(prefix: string): Promise<Buffer> {
  return withRedis(async (client) => {
    const parts: Buffer[] = [];
    for (const key of await keysOf(client, prefix)) {
      const type = (await client.sendCommand(["TYPE", key])) as unknown as Buffer;
      const read = READ[String(type)];
      if (read === undefined) throw new Error(`Nobody reads a ${String(type)}.`);
      const found = await client.sendCommand([read[0], key, ...read[1]], { typeMapping: { 36: Buffer } });
      parts.push(key, ...([found].flat() as unknown as Buffer[]));
    }
    return Buffer.concat(parts.flatMap((part) => [part, Buffer.from("\n")]));
  });
}

/** By the type of a key, how all that it holds is read. */
const READ: Readonly<Record<string, readonly [string, readonly string[]]>> = {
  hash: ["HGETALL", []],
  zset: ["ZRANGE", ["0", "-1"]],
  string: ["GET", []],
};

/** Does this with a client of the server, for as long as it takes. */
export async function withRedis<T>(work: (client: Client) => Promise<T>, url = redisUrl()): Promise<T> {
  const client = createClient({ url });
  client.on("error", () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

export type Client = ReturnType<typeof createClient>;

async function keysOf(client: Client, prefix: string): Promise<Buffer[]> {
  const keys: Buffer[] = [];
  let cursor = "0";
  do {
    const command = ["SCAN", cursor, "MATCH", `{${prefix}:*`, "COUNT", "1000"];
    const reply = await client.sendCommand<[Buffer, Buffer[]]>(command, { typeMapping: { 36: Buffer } });
    cursor = String(reply[0]);
    keys.push(...reply[1]);
  } while (cursor !== "0");
  return keys;
}
