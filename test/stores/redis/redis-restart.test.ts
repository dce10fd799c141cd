import { readFileSync } from "node:fs";
import { join } from "node:path";
import { RedisStore } from "../../../lib/stores/redis/redis-store";
import { endingOf, idsOf, liveRecord, loaded, map } from "../../../lib/testing/store-contract/sample-records";
import { eventually } from "../../support/eventually";
import { lostWaiting } from "../../support/lost-waiting";
import { describeOnOwnRedis, OwnRedis } from "../../support/own-redis";
import { redisClients } from "../../support/redis-server";
import type { GivenClient } from "../../support/redis-server";
import { TcpRelay } from "../../support/tcp-relay";

const OWN = { name: "a client of its own", connect: undefined };

describe.each([...redisClients, OWN])("Where Redis itself fails, $name", ({ connect }) => {
  describeOnOwnRedis("RedisStore", () => {
    let redis: OwnRedis;
    let given: GivenClient | undefined;
    let store: RedisStore;

    beforeAll(async () => {
      redis = await OwnRedis.start();
      given = await connect?.(redis.url);
      store = new RedisStore({
        ...(given === undefined ? { url: redis.url } : { client: given.client }),
        timeoutMs: 1_000,
      });
      await store.create(liveRecord());
    });
    afterAll(async () => {
      await store.close();
      await given?.close();
      await redis.dispose();
    });

    const heals = () =>
      eventually(
        async () =>
          (await store.load("a").then(
            () => "ok",
            () => "failed",
          )) === "ok",
      );

    it("P2: keeps what was acknowledged when it is killed in the middle of writes, and revives nothing", async () => {
      const records = Array.from({ length: 200 }, () => liveRecord());
      await Promise.all(records.map((record) => store.create(record)));
      const written = new Set<string>();
      const ended = new Set<string>();
      const calls = records.flatMap((record) => [
        store.update(record.id, { data: { set: map({ a: "1" }) } }).then(
          (done) => done && written.add(record.id),
          () => undefined,
        ),
        Math.random() < 0.5 &&
          store.end(record.id, endingOf(record)).then(
            () => ended.add(record.id),
            () => undefined,
          ),
      ]);
      await Promise.race(calls);
      await redis.kill();
      await Promise.all(calls);
      await redis.start();
      await heals();
      for (const { id } of records) {
        const record = await store.load(id);
        if (ended.has(id)) expect(record).toBeUndefined();
        else if (written.has(id) && record !== undefined) expect(record.data.a).toBe("1");
      }
    });

    it("goes on where its scripts were forgotten", async () => {
      const record = liveRecord();
      await store.create(record);
      await redis.command("SCRIPT", "FLUSH");
      const updates = Array.from({ length: 10 }, () => store.update(record.id, { counters: { n: 1 } }));
      expect(await Promise.all(updates)).toEqual(updates.map(() => true));
      expect((await loaded(store, record.id)).counters.n).toBe(10);
    });

    it("P7: fails while it takes no writes, and heals", async () => {
      const record = liveRecord();
      await store.create(record);
      await redis.command("REPLICAOF", "127.0.0.1", "1");
      await expect(store.update(record.id, { counters: { n: 1 } })).rejects.toMatchObject({ status: 503 });
      await redis.command("REPLICAOF", "NO", "ONE");
      await eventually(async () => await store.update(record.id, { counters: { n: 1 } }).catch(() => false));
    });
  });
});

describeOnOwnRedis("Replicas", () => {
  it("are waited for, and a change that they don't have in time fails", async () => {
    const [primary, replica] = await Promise.all([OwnRedis.start(), OwnRedis.start()]);
    for (const { connect } of redisClients) {
      const given = await connect(primary.url);
      const store = new RedisStore({ client: given.client, replicas: 1, timeoutMs: 1_000 });
      const record = liveRecord();
      await expect(store.create(record)).rejects.toMatchObject({
        code: "SESSION_STORE",
        message: expect.stringContaining("0 of 1 replicas") as string,
      });
      await replica.command("REPLICAOF", "127.0.0.1", String(primary.port));
      const other = liveRecord();
      await eventually(async () => store.update(record.id, { counters: { n: 1 } }).catch(() => false));
      await store.create(other);
      await store.end(other.id, endingOf(other));
      await replica.command("REPLICAOF", "NO", "ONE");
      await store.close();
      await given.close();
    }
    await Promise.all([primary.dispose(), replica.dispose()]);
  });

  it("P7: of another primary don't count: a change fails whose connection was lost before its replica had it", async () => {
    const [primary, next] = await Promise.all([withReplica(), withReplica()]);
    const relay = await new TcpRelay(addressOf(primary)).open();
    const lose = () => {
      relay.leadTo(addressOf(next));
      relay.cut();
    };
    const clients = [...redisClients.map(({ connect }) => connect), undefined];
    for (const connect of clients) {
      relay.leadTo(addressOf(primary));
      const url = `redis://${relay.address}`;
      const given = await connect?.(url);
      const store = new RedisStore({ ...(given === undefined ? { url } : { client: given.client }), replicas: 1 });
      await expect(lostWaiting(store, primary, lose)).rejects.toMatchObject({ status: 503 });
      await store.close();
      await given?.close();
    }
    await relay.close();
    await Promise.all([...primary, ...next].map((redis) => redis.dispose()));
  });
});

/** A primary, and a replica that has all that it has. */
async function withReplica(): Promise<readonly [OwnRedis, OwnRedis]> {
  const [primary, replica] = await Promise.all([OwnRedis.start(), OwnRedis.start()]);
  await replica.command("REPLICAOF", "127.0.0.1", String(primary.port));
  await eventually(async () => (await replica.info("replication")).includes("master_link_status:up"));
  return [primary, replica];
}

const addressOf = ([{ port }]: readonly [OwnRedis, OwnRedis]) => `127.0.0.1:${port}`;

describeOnOwnRedis("A user of the server with the rights that the guide names", () => {
  it("can do all that a store does", async () => {
    const redis = await OwnRedis.start();
    const guide = readFileSync(join(__dirname, "../../../docs/redis.md"), "utf8");
    const rights = /```\n(~\{coatcheck:\*[^`]+)```/.exec(guide)?.[1]?.trim().split(/\s+/) ?? [];
    await redis.command("ACL", "SETUSER", "shop", "on", ">secret", ...rights, "+client", "+ping");
    const store = new RedisStore({ url: redis.url.replace("//", "//shop:secret@") });
    const [first, second] = [liveRecord({ owner: "alice" }), liveRecord({ owner: "alice" })];
    await store.create(first);
    await store.update(first.id, { counters: { n: 1 }, data: { remove: ["a"] }, owner: "bob" });
    await store.mutate(first.id, () => ({ expiresAt: Infinity, purgeAt: Infinity }));
    expect(await store.replace(first.id, endingOf(first), second)).toBe(true);
    expect(await idsOf(store, { state: "live", owner: "alice", fields: "header" })).toEqual([second.id]);
    expect(await store.end(second.id, { ...endingOf(second), purgeAt: 0 })).toBe(true);
    expect(await store.tally(Date.now())).toEqual([]);
    expect(await store.clear(Date.now() + 100 * 3_600_000)).toBe(1);
    await store.close();
    await redis.dispose();
  });
});

describeOnOwnRedis("A Redis that deletes what it likes", () => {
  it("P2: is warned of", async () => {
    const warnings: string[] = [];
    const emit = jest.spyOn(process, "emitWarning").mockImplementation((text) => void warnings.push(String(text)));
    const redis = await OwnRedis.start("--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru");
    const warned = async () => {
      const store = new RedisStore({ url: redis.url });
      await store.load("a");
      await store.load("a");
      await store.close();
    };
    await warned();
    expect(warnings).toEqual([expect.stringContaining("maxmemory-policy allkeys-lru")]);
    for (const policy of ["noeviction", "volatile-ttl"])
      await redis.command("CONFIG", "SET", "maxmemory-policy", policy).then(warned);
    expect(warnings).toHaveLength(1);
    emit.mockRestore();
    await redis.dispose();
  });
});
