import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createClient } from "redis";
import type { SessionError } from "../../../lib";
import { RedisStore } from "../../../lib/stores/redis/redis-store";
import { layoutKey, SharedLayout } from "../../../lib/stores/redis/shared-layout";
import { idsOf, liveRecord } from "../../../lib/testing/store-contract/sample-records";
import { eventually } from "../../support/eventually";
import { describeOnOwnRedis, OwnRedis } from "../../support/own-redis";
import {
  describeOnRedis,
  forgetPrefix,
  freshPrefix,
  nodeRedis,
  redisClients,
  redisUrl,
  withRedis,
} from "../../support/redis-server";
import { TcpRelay } from "../../support/tcp-relay";

const LAYOUT = { version: "1", shards: "16" };

describe.each([...redisClients, { name: "a client of its own", connect: undefined }])(
  "Stores with different shards, $name",
  ({ connect }) => {
    describeOnRedis("on one prefix", () => {
      it("are refused, whichever comes second, and write nothing", async () => {
        const prefix = freshPrefix();
        const given = await connect?.(redisUrl());
        const open = (shards: number) =>
          new RedisStore({ ...(given === undefined ? { url: redisUrl() } : { client: given.client }), prefix, shards });
        const [first, same, other] = [open(16), open(16), open(4)];
        const [one, two] = [liveRecord(), liveRecord()];
        await first.create(one);
        await same.create(two);
        const calls = [
          other.create(liveRecord()),
          other.load(one.id),
          other.update(one.id, { counters: { n: 1 } }),
          idsOf(other, { state: "live" }),
          other.tally(Date.now()),
          other.clear(Date.now()),
        ];
        for (const call of calls) {
          await expect(call).rejects.toMatchObject({
            code: "SESSION_CONFIG",
            message: expect.stringMatching(/given shards: 4, .* in 16; write shards: 16/) as string,
          });
        }
        expect(await idsOf(first, { state: "live" })).toEqual([one.id, two.id].sort());
        for (const store of [first, same, other]) await store.close();
        await given?.close();
        await forgetPrefix(prefix);
      });
    });
  },
);

describeOnRedis("The layout of a prefix", () => {
  const prefix = freshPrefix();
  const layout = () => withRedis((client) => client.hGetAll(layoutKey(prefix)));
  const write = (fields: Record<string, string>) => withRedis((client) => client.hSet(layoutKey(prefix), fields));
  afterEach(() => forgetPrefix(prefix));

  it("of a newer version is refused, and the store heals once it is another", async () => {
    await write({ version: "2", shards: "16" });
    const store = new RedisStore({ url: redisUrl(), prefix });
    for (const call of [store.load("a"), store.create(liveRecord())]) {
      await expect(call).rejects.toMatchObject({
        code: "SESSION_STORE",
        message: expect.stringContaining("have version 2, and this version of coatcheck knows 1; upgrade") as string,
      });
    }
    await write(LAYOUT);
    expect(await store.load("a")).toBeUndefined();
    await store.close();
  });

  it("is written down by one of many that start at once, and all agree", async () => {
    const stores = Array.from(
      { length: 10 },
      (_, n) => new RedisStore({ url: redisUrl(), prefix, shards: 1 + (n % 2) }),
    );
    const codes = await Promise.all(
      stores.map((store) => store.load("a").catch((error: unknown) => (error as SessionError).code)),
    );
    const { shards } = await layout();
    const expected = stores.map((_, n) => (String(1 + (n % 2)) === shards ? undefined : "SESSION_CONFIG"));
    expect(codes).toEqual(expected);
    for (const store of stores) await store.close();
  });

  it("is compared once for many calls, and again after a minute: whoever emptied Redis is made up for", async () => {
    await withRedis(async (client) => {
      let sent = 0;
      let now = 0;
      const layoutOf = (shards: number) =>
        new SharedLayout({
          ...{ prefix, shards, timeoutMs: 20_000, now: () => now },
          send: (_key, command) => {
            sent += 1;
            return client.sendCommand(command);
          },
        });
      const first = layoutOf(16);
      await Promise.all([first.compared(), first.compared()]);
      for (let call = 0; call < 100; call += 1) expect(first.compared()).toBeUndefined();
      expect(sent).toBe(1);

      await client.del(layoutKey(prefix));
      now += 60_000;
      expect(first.compared()).toBeUndefined();
      await eventually(async () => (await layout()).shards === "16");
      await expect(layoutOf(4).compared()).rejects.toMatchObject({ code: "SESSION_CONFIG" });

      await client.hSet(layoutKey(prefix), "shards", "8");
      now += 60_000;
      expect(first.compared()).toBeUndefined();
      await eventually(
        async () =>
          await (first.compared()?.then(
            () => false,
            () => true,
          ) ?? false),
      );
    });
  });

  it("holds up no call where Redis does not tell it", async () => {
    for (const send of [
      () => Promise.reject(new Error("NOPERM this user has no permissions")),
      () => Promise.resolve([]),
      () => new Promise<never>(() => undefined),
    ]) {
      let now = 0;
      const asked: string[] = [];
      const counted = (key: string) => {
        asked.push(key);
        return send();
      };
      const layout = new SharedLayout({ prefix, shards: 16, timeoutMs: 50, send: counted, now: () => now });
      await layout.compared();
      expect(layout.compared()).toBeUndefined();
      now += 1_000;
      expect(layout.compared()).toBeUndefined();
      expect(asked).toEqual([layoutKey(prefix), layoutKey(prefix)]);
    }
  });
});

describeOnOwnRedis("A Redis that was emptied", () => {
  it("goes on at once, with the stores that are open and with new ones", async () => {
    const redis = await OwnRedis.start();
    const stores = [new RedisStore({ url: redis.url }), new RedisStore({ url: redis.url })];
    for (const store of stores) await store.create(liveRecord());
    await redis.command("FLUSHALL");
    for (const store of [...stores, new RedisStore({ url: redis.url })]) {
      const record = liveRecord();
      await store.create(record);
      expect(await idsOf(store, { state: "live", id: record.id })).toEqual([record.id]);
      await store.close();
    }
    expect(await withRedis((client) => client.hGetAll(layoutKey("coatcheck")), redis.url)).toMatchObject(LAYOUT);
    await redis.dispose();
  });
});

describeOnRedis("A store whose first call gets no answer", () => {
  it("P7: fails in time, sends nothing later, and heals", async () => {
    const prefix = freshPrefix();
    const relay = await new TcpRelay(new URL(redisUrl()).host).open();
    const given = await nodeRedis(createClient({ url: `redis://${relay.address}` }));
    const store = new RedisStore({ client: given.client, prefix, timeoutMs: 300 });
    relay.freeze();
    const [lost, kept] = [liveRecord(), liveRecord()];
    await expect(store.create(lost)).rejects.toMatchObject({ status: 503 });
    relay.thaw();
    await eventually(
      async () =>
        await store.create(kept).then(
          () => true,
          () => false,
        ),
    );
    expect(await idsOf(store, { state: "live" })).toEqual([kept.id]);
    await store.close();
    await given.close();
    await relay.close();
    await forgetPrefix(prefix);
  });
});

it("The guide says what the layout is kept in", () => {
  const guide = readFileSync(join(__dirname, "../../../docs/redis.md"), "utf8");
  expect(guide).toContain(`\`${layoutKey("coatcheck")}\``);
});
