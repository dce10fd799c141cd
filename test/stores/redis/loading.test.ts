import { RedisStore } from "../../../lib/stores/redis/redis-store";
import { liveRecord, loaded, map } from "../../../lib/testing/store-contract/sample-records";
import { eventually } from "../../support/eventually";
import { howMany } from "../../support/how-many";
import { describeOnOwnRedis, OwnRedis } from "../../support/own-redis";
import { redisClients } from "../../support/redis-server";
import type { GivenClient } from "../../support/redis-server";

/** For each key, in microseconds. */
const SLOWLY = ["--key-load-delay", "40000"];
/** While it loads, Redis looks for commands every 2 MB (Redis 6.2 has no option for that): here after 20 records. */
const UNCOMPRESSED = ["--rdbcompression", "no"];
const VALUE = "1".repeat(100_000);

/** In the short form one client of each package. */
const CLIENTS = redisClients.filter(({ name }) => howMany(0, 1) === 1 || ["redis 6", "ioredis 5"].includes(name));

describe.each(CLIENTS)("Where Redis reads its data after a restart, $name", ({ connect }) => {
  describeOnOwnRedis("RedisStore", () => {
    let redis: OwnRedis;
    let given: GivenClient;
    beforeAll(async () => {
      redis = await OwnRedis.start("--appendonly", "no", ...UNCOMPRESSED);
      given = await connect(redis.url);
    });
    afterAll(async () => {
      await given.close();
      await redis.dispose();
    });

    it("P7: waits or fails with 503, and heals", async () => {
      const store = new RedisStore({ client: given.client });
      const impatient = new RedisStore({ client: given.client, timeoutMs: 500 });
      const records = Array.from({ length: 100 }, () => liveRecord({ data: map({ a: VALUE }) }));
      for (const record of records) await store.create(record);
      const [record] = records as [(typeof records)[0]];
      await redis.command("SAVE");
      await redis.kill();
      const started = redis.start(...SLOWLY);
      await eventually(async () => (await redis.reply("PING")).startsWith("LOADING"));
      const change = { data: { set: map({ a: "2" }) } };
      await expect(impatient.update(record.id, change)).rejects.toMatchObject({ status: 503 });
      await started;
      await eventually(() =>
        impatient.load(record.id).then(
          () => true,
          () => false,
        ),
      );
      for (const { id } of records) expect((await loaded(store, id)).data).toEqual({ a: VALUE });
      await store.close();
    });
  });
});
