import { Redis } from "ioredis";
import { Redis as Redis6 } from "ioredis6";
import type { RedisClient } from "../../../lib/stores/redis/redis-options";
import { RedisStore } from "../../../lib/stores/redis/redis-store";
import { liveRecord } from "../../../lib/testing/store-contract/sample-records";
import { eventually } from "../../support/eventually";
import { describeOnRedis, forgetPrefix, freshPrefix, ioRedis, redisUrl } from "../../support/redis-server";

interface IoRedisWithStream {
  readonly status: string;
  readonly stream: { destroy(): void };
  disconnect(): void;
}

const retryStrategy = () => 1_000;

const CLIENTS: readonly { readonly name: string; readonly create: () => RedisClient & IoRedisWithStream }[] = [
  { name: "ioredis 5", create: () => new Redis(redisUrl(), { retryStrategy }) },
  { name: "ioredis 6", create: () => new Redis6(redisUrl(), { retryStrategy }) },
];

/** ioredis keeps what is called without a connection, and does it once it has one, however late. */
describeOnRedis("A connection lost in the turn of a call", () => {
  const prefix = freshPrefix();
  let client: RedisClient & IoRedisWithStream;

  afterEach(() => client.disconnect());
  afterAll(() => forgetPrefix(prefix));

  it.each(CLIENTS)("P7: does nothing of the call later, on $name", async ({ create }) => {
    client = create();
    await ioRedis(client as unknown as Parameters<typeof ioRedis>[0]);
    const store = new RedisStore({ client, prefix, timeoutMs: 300 });
    const [before, late] = [liveRecord(), liveRecord()];
    await store.create(before);

    const creating = store.create(late);
    client.stream.destroy();
    expect(client.status).toBe("ready");
    await expect(creating).rejects.toMatchObject({ code: "SESSION_STORE" });

    await eventually(() => client.status === "ready");
    expect(await store.load(before.id)).toBeDefined();
    expect(await store.load(late.id)).toBeUndefined();
  });
});
