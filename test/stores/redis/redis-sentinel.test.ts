import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { Redis as Redis6 } from "ioredis6";
import { createClientPool, createSentinel } from "redis";
import { createClientPool as createClientPool6, createSentinel as createSentinel6 } from "redis6";
import { RedisStore } from "../../../lib/stores/redis/redis-store";
import { endingOf, idsOf, liveRecord, loaded, map } from "../../../lib/testing/store-contract/sample-records";
import { eventually } from "../../support/eventually";
import { freePort } from "../../support/free-port";
import { describeOnOwnRedis, OwnRedis } from "../../support/own-redis";
import { ioRedis, nodeRedis } from "../../support/redis-server";
import type { GivenClient } from "../../support/redis-server";

describeOnOwnRedis("RedisStore", () => {
  const folder = mkdtempSync(join(tmpdir(), "coatcheck-sentinel-"));
  let redis: OwnRedis;
  let port: number;
  let end: () => Promise<unknown>;

  beforeAll(async () => {
    redis = await OwnRedis.start();
    port = await freePort();
    const config = join(folder, "sentinel.conf");
    writeFileSync(
      config,
      `port ${port}\nbind 127.0.0.1\ndir ${folder}\nsentinel monitor shop 127.0.0.1 ${redis.port} 1\n`,
    );
    const sentinel = spawn("redis-server", [config, "--sentinel"], { stdio: "ignore" });
    end = () => {
      const ended = once(sentinel, "exit");
      sentinel.kill("SIGKILL");
      return ended;
    };
    const asked = () => spawnSync("redis-cli", ["-p", String(port), "SENTINEL", "get-master-addr-by-name", "shop"]);
    await eventually(() => asked().stdout.includes(String(redis.port)));
  });
  afterAll(async () => {
    await end();
    await redis.dispose();
    rmSync(folder, { recursive: true });
  });

  const nodes = () => ({ name: "shop", sentinelRootNodes: [{ host: "127.0.0.1", port }] });
  const sentinels = () => ({ name: "shop", sentinels: [{ host: "127.0.0.1", port }] });
  const clients: readonly (readonly [string, () => Promise<GivenClient>])[] = [
    ["a Sentinel of redis 5", () => nodeRedis(createSentinel(nodes()))],
    ["a Sentinel of redis 6", () => nodeRedis(createSentinel6(nodes()))],
    ["a Sentinel of ioredis 5", () => ioRedis(new Redis(sentinels()))],
    ["a Sentinel of ioredis 6", () => ioRedis(new Redis6(sentinels()))],
    ["a pool of redis 5", () => nodeRedis(createClientPool({ url: redis.url }))],
    ["a pool of redis 6", () => nodeRedis(createClientPool6({ url: redis.url }))],
  ];

  it.each(clients)("works on %s", async (_name, connect) => {
    const given = await connect();
    const store = new RedisStore({ client: given.client });
    const record = liveRecord({ owner: "alice", data: map({ a: "1" }) });
    await store.create(record);
    expect(await store.update(record.id, { data: { set: map({ b: "2" }) } })).toBe(true);
    expect(Object.keys((await loaded(store, record.id)).data).sort()).toEqual(["a", "b"]);
    expect(await idsOf(store, { state: "live", owner: "alice" })).toEqual([record.id]);
    expect(await store.end(record.id, endingOf(record))).toBe(true);
    expect(await store.load(record.id)).toBeUndefined();
    await store.close();
    await given.close();
  });

  it("takes no pool together with replicas, as it waits on the connection that wrote", () => {
    const client = createClientPool({ url: redis.url });
    expect(() => new RedisStore({ client, replicas: 1 })).toThrow("leave it out beside a pool");
  });
});
