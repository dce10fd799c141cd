import type { RedisClient } from "../redis-options";
import { IoRedis } from "./io-redis";
import type { IoRedisClient } from "./io-redis";
import { NodeRedis } from "./node-redis";
import type { NodeRedisClient } from "./node-redis";
import { OwnRedis } from "./own-redis";
import type { RedisConnection } from "./redis-connection";

/** Sends commands with a client of the app's, or with one of its own for a URL. */
export function openConnection(client: RedisClient | undefined, url: string, timeoutMs: number): RedisConnection {
  if (client === undefined) return new OwnRedis(url, timeoutMs);
  // A client without a listener would end the process when it loses its connection; every call reports that.
  const events = client as Partial<NodeJS.EventEmitter>;
  if (events.listenerCount?.("error") === 0) events.on?.("error", () => undefined);
  if ("callBuffer" in client) return new IoRedis(client as unknown as IoRedisClient);
  return new NodeRedis(client as unknown as NodeRedisClient, timeoutMs);
}
