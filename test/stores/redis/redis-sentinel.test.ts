import { Redis } from "ioredis";
import { Redis as Redis6 } from "ioredis6";
import { createClientPool, createSentinel } from "redis";
import { createClientPool as createClientPool6, createSentinel as createSentinel6 } from "redis6";
import type { RedisStoreOptions } from "../../../lib/stores/redis/redis-options";
import { RedisStore } from "../../../lib/stores/redis/redis-store";
import { endingOf, idsOf, liveRecord, loaded, map } from "../../../lib/testing/store-contract/sample-records";
import { eventually } from "../../support/eventually";
import { howMany } from "../../support/how-many";
import { lostWaiting } from "../../support/lost-waiting";
import { describeOnOwnRedis } from "../../support/own-redis";
import type { OwnRedis } from "../../support/own-redis";
import { freshPrefix, ioRedis, nodeRedis } from "../../support/redis-server";
import type { GivenClient } from "../../support/redis-server";
import { RedisSentinels } from "../../support/redis-sentinels";
import { traffic } from "../../support/traffic";

interface Client {
  readonly name: string;
  readonly connect: (sentinels: RedisSentinels) => Promise<GivenClient>;
}

const nodes = ({ addresses }: RedisSentinels) => ({ name: "shop", sentinelRootNodes: [...addresses] });
const addresses = (sentinels: RedisSentinels) => ({
  ...{ name: "shop", sentinels: [...sentinels.addresses] },
  autoResendUnfulfilledCommands: false,
});
const url = (sentinels: RedisSentinels) => ({ url: sentinels.nodes[0]?.url ?? "" });

const CLIENTS: readonly Client[] = [
  { name: "redis 5", connect: (sentinels) => nodeRedis(createSentinel(nodes(sentinels))) },
  { name: "redis 6", connect: (sentinels) => nodeRedis(createSentinel6(nodes(sentinels))) },
  { name: "ioredis 5", connect: (sentinels) => ioRedis(new Redis(addresses(sentinels))) },
  { name: "ioredis 6", connect: (sentinels) => ioRedis(new Redis6(addresses(sentinels))) },
];
const POOLS: readonly Client[] = [
  { name: "a pool of redis 5", connect: (sentinels) => nodeRedis(createClientPool(url(sentinels))) },
  { name: "a pool of redis 6", connect: (sentinels) => nodeRedis(createClientPool6(url(sentinels))) },
];
/** In the short form one client of each package. */
const FAILING_OVER = CLIENTS.filter(({ name }) => howMany(0, 1) === 1 || ["redis 6", "ioredis 5"].includes(name));
/** Sentinels that a busy machine kept waiting do nothing for half a minute. In milliseconds. */
const FAIL_OVER_MS = 300_000;

describeOnOwnRedis("RedisStore behind Sentinels", () => {
  let sentinels: RedisSentinels;
  const given: GivenClient[] = [];
  const storeOn = async ({ connect }: Client, options: Omit<RedisStoreOptions, "client"> = {}) => {
    const connected = await connect(sentinels);
    given.push(connected);
    return new RedisStore({ client: connected.client, ...options });
  };

  beforeAll(async () => (sentinels = await RedisSentinels.start()), 60_000);
  afterEach(() => Promise.all(given.splice(0).map((each) => each.close())));
  afterAll(() => sentinels.dispose());

  it.each([...CLIENTS, ...POOLS])("works on $name", async (client) => {
    const store = await storeOn(client);
    const record = liveRecord({ owner: "alice", data: map({ a: "1" }) });
    await store.create(record);
    expect(await store.update(record.id, { data: { set: map({ b: "2" }) } })).toBe(true);
    expect(Object.keys((await loaded(store, record.id)).data).sort()).toEqual(["a", "b"]);
    expect(await idsOf(store, { state: "live", owner: "alice" })).toEqual([record.id]);
    expect(await store.end(record.id, endingOf(record))).toBe(true);
    expect(await store.load(record.id)).toBeUndefined();
  });

  it("takes no pool together with replicas, as it waits on the connection that wrote", () => {
    const client = createClientPool(url(sentinels));
    expect(() => new RedisStore({ client, replicas: 1 })).toThrow("leave it out beside a pool");
  });

  it.each(CLIENTS)(
    "P7: fails a change whose connection was lost before its replica had it, on $name",
    async (client) => {
      const store = await storeOn(client, { replicas: 1 });
      const primary = await sentinels.primary();
      const replica = sentinels.nodes.find((node) => node !== primary);
      if (primary === undefined || replica === undefined) throw new Error("The Sentinels don't agree.");
      const lose = () => primary.command("CLIENT", "KILL", "TYPE", "normal");
      await expect(lostWaiting(store, [primary, replica], lose)).rejects.toMatchObject({ status: 503 });
    },
  );

  it.each(FAILING_OVER)(
    "P2: fails with 503 at worst while the primary is lost, and revives nothing, on $name",
    async (client) => {
      const store = await storeOn(client, { prefix: freshPrefix(), replicas: 1 });
      await traffic(store, async () => {
        const lost = await sentinels.primary();
        await lost?.kill();
        await eventually(async () => ![undefined, lost].includes(await sentinels.primary()));
        await lost?.start();
        // Only with its replica do changes count as stored again.
        await eventually(() => isFollowing(lost));
      });
      await store.create(liveRecord());
    },
    FAIL_OVER_MS,
  );

  it.each(CLIENTS)(
    "P7: does nothing of a call later that has failed while there was no primary, on $name",
    async (client) => {
      const store = await storeOn(client, { timeoutMs: 1_000 });
      const [before, late] = [liveRecord(), liveRecord()];
      await store.create(before);
      const primary = await sentinels.primary();
      await sentinels.end();
      await primary?.kill();
      await expect(store.create(late)).rejects.toMatchObject({ status: 503 });
      await primary?.start();
      await sentinels.begin();
      await eventually(() =>
        store.create(liveRecord()).then(
          () => true,
          () => false,
        ),
      );
      expect(await store.load(before.id)).toBeDefined();
      expect(await store.load(late.id)).toBeUndefined();
    },
    FAIL_OVER_MS,
  );
});

/** Whether a node is a replica that has all that its primary has. A node that becomes one closes its connections. */
async function isFollowing(node: OwnRedis | undefined): Promise<boolean> {
  const info = await node?.info("replication").catch(() => "");
  return info?.includes("master_link_status:up") === true;
}
