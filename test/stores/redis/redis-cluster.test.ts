import { setTimeout as sleep } from "node:timers/promises";
import { RedisKeys } from "../../../lib/stores/redis/redis-keys";
import { RedisStore } from "../../../lib/stores/redis/redis-store";
import { endingOf, idsOf, liveRecord, map } from "../../../lib/testing/store-contract/sample-records";
import { storeContract } from "../../../lib/testing/store-contract/store-contract";
import { howMany } from "../../support/how-many";
import { describeOnOwnRedis } from "../../support/own-redis";
import { clusterClients, RedisCluster } from "../../support/redis-cluster";
import { freshPrefix } from "../../support/redis-server";
import type { GivenClient } from "../../support/redis-server";
import { traffic } from "../../support/traffic";

/** In the short form on one client of each package, in the long form on all. */
const CLIENTS = clusterClients.filter(({ name }) => howMany(0, 1) === 1 || ["redis 6", "ioredis 5"].includes(name));
const BOBS = { state: "live", owner: "bob" } as const;
/** Moving slots is thousands of commands, each of which a busy machine, or a replica of Valkey, keeps waiting. In milliseconds. */
const MOVING_MS = 180_000;

describeOnOwnRedis("On a Cluster", () => {
  let cluster: RedisCluster;
  beforeAll(async () => (cluster = await RedisCluster.start()), 120_000);
  afterAll(() => cluster.dispose());

  describe.each(CLIENTS)("RedisStore, on $name", ({ connect }) => {
    let given: GivenClient;
    beforeAll(async () => (given = await connect(cluster.nodes)));
    afterAll(() => given.close());

    describe("in one shard", () => {
      // The successors in the contract's tests lie anywhere.
      storeContract(
        (now) => ({ store: new RedisStore({ client: given.client, prefix: freshPrefix(), shards: 1, now }) }),
        {
          describe,
          it,
        },
      );
    });

    describe("in many shards", () => {
      const prefix = freshPrefix();
      let store: RedisStore;
      beforeAll(() => (store = new RedisStore({ client: given.client, prefix, replicas: 1 })));
      afterAll(() => store.close());

      /** A record that can take the place of the other. */
      const placedWith = (id: string) => {
        for (;;) {
          const record = liveRecord({ owner: "alice" });
          if (store.isPlacedWith(record.id, id)) return record;
        }
      };

      it("keeps, replaces, finds, counts, ends and clears", async () => {
        const records = Array.from({ length: 60 }, () => liveRecord({ owner: "alice" }));
        await Promise.all(records.map((record) => store.create(record)));
        const successors = records.map((record) => placedWith(record.id));
        const replaced = records.map((record, n) =>
          store.replace(record.id, endingOf(record), successors[n] ?? record),
        );
        expect(await Promise.all(replaced)).toEqual(records.map(() => true));
        const ids = successors.map(({ id }) => id).sort();
        expect(await idsOf(store, { state: "live", owner: "alice" })).toEqual(ids);
        expect(await idsOf(store, { state: "live", fields: "header" })).toEqual(ids);
        expect(await store.tally(Date.now())).toMatchObject([{ live: 60 }]);
        const changes = ids.map((id) => store.mutate(id, () => ({ data: { set: map({ a: "1" }) } })));
        for (const changed of await Promise.all(changes)) expect(changed?.data.a).toBe("1");
        const ended = successors.map((record) => store.end(record.id, endingOf(record)));
        expect(await Promise.all(ended)).toEqual(ids.map(() => true));
        expect(await store.clear(Date.now() + 100 * 3_600_000)).toBe(120);
      });

      it("says so where a successor lies in another slot", async () => {
        const record = liveRecord();
        await store.create(record);
        let successor = liveRecord();
        while (store.isPlacedWith(successor.id, record.id)) successor = liveRecord();
        await expect(store.replace(record.id, endingOf(record), successor)).rejects.toMatchObject({ status: 503 });
        expect(await store.load(record.id)).toBeDefined();
      });

      it(
        "P2: fails with 503 at worst while slots move, and revives nothing",
        async () => {
          await traffic(store, async () => {
            const staying = liveRecord({ owner: "bob" });
            await store.create(staying);
            let isMoved = false;
            const finding = async () => {
              while (!isMoved) expect(await idsOf(store, { ...BOBS, fields: "header" })).toEqual([staying.id]);
            };
            const found = finding();
            const view = await cluster.view();
            const primaries = view.filter(([, , flags]) => flags?.includes("master"));
            const [from = [], to = []] = primaries;
            const address = `127.0.0.1:${cluster.nodes[0]?.port}`;
            await cluster.cli(
              "reshard",
              address,
              "--cluster-from",
              from[0] ?? "",
              "--cluster-to",
              to[0] ?? "",
              "--cluster-slots",
              "1000",
              "--cluster-yes",
            );
            await cluster.agrees();
            isMoved = true;
            await found;
          });
        },
        MOVING_MS,
      );

      it("finds a session whose record is at another node than its index, while their slot moves", async () => {
        const record = liveRecord({ owner: "carol" });
        await store.create(record);
        const key = new RedisKeys(prefix, 16).record("s", record.id);
        const slot = String(await cluster.nodes[0]?.command("CLUSTER", "KEYSLOT", key));
        const primaries = (await cluster.view()).filter(([, , flags]) => flags?.includes("master"));
        const isOwner = ([, , , , , , , , ...ranges]: string[]) =>
          ranges.some((range) => {
            const [first, last = first] = range.split("-").map(Number);
            return Number(slot) >= Number(first) && Number(slot) <= Number(last);
          });
        const source = cluster.nodeOf(primaries.find(isOwner));
        const target = cluster.nodeOf(primaries.find((row) => !isOwner(row)));
        const [sourceId, targetId] = await Promise.all([source, target].map((node) => node.command("CLUSTER", "MYID")));
        await target.command("CLUSTER", "SETSLOT", slot, "IMPORTING", String(sourceId));
        await source.command("CLUSTER", "SETSLOT", slot, "MIGRATING", String(targetId));
        await source.command("MIGRATE", "127.0.0.1", String(target.port), key, "0", "5000");
        expect(await idsOf(store, { state: "live", owner: "carol", fields: "header" })).toEqual([record.id]);
        await source.command("CLUSTER", "SETSLOT", slot, "STABLE");
        await target.command("MIGRATE", "127.0.0.1", String(source.port), key, "0", "5000");
        await target.command("CLUSTER", "SETSLOT", slot, "STABLE");
        expect(await store.end(record.id, endingOf(record))).toBe(true);
      });

      it(
        "P2: fails with 503 at worst while a primary is lost, and revives nothing",
        async () => {
          await traffic(store, async () => {
            const view = await cluster.view();
            const primary = view.find(([, , flags, , , , , , slots]) => flags === "master" && slots !== undefined);
            const port = Number(/:(\d+)@/.exec(primary?.[1] ?? "")?.[1]);
            const lost = cluster.nodes.find((node) => node.port === port);
            await lost?.kill();
            await sleep(500);
            await cluster.agrees(cluster.nodes.filter((node) => node !== lost));
            await lost?.start();
            await cluster.agrees();
          });
        },
        MOVING_MS,
      );
    });
  });
});
