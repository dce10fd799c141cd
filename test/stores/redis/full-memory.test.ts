import { RedisStore } from "../../../lib/stores/redis/redis-store";
import type { SessionRecord } from "../../../lib/record/session-record";
import { endedOf, endingOf, idsOf, liveRecord, loaded, map } from "../../../lib/testing/store-contract/sample-records";
import { describeOnOwnRedis, OwnRedis } from "../../support/own-redis";

const FULL = expect.objectContaining({
  code: "SESSION_STORE",
  status: 503,
  message: expect.stringMatching(/^Redis failed at \w+: .*OOM command not allowed/) as string,
}) as Error;

describeOnOwnRedis("RedisStore where the memory of Redis is full", () => {
  let redis: OwnRedis;
  let store: RedisStore;
  let stored: SessionRecord[];

  beforeAll(async () => {
    redis = await OwnRedis.start("--maxmemory-policy", "noeviction");
    store = new RedisStore({ url: redis.url });
  });
  beforeEach(async () => {
    await redis.command("FLUSHALL");
    stored = Array.from({ length: 50 }, () => liveRecord({ owner: "alice", data: map({ n: "0" }) }));
    await Promise.all(stored.map((record) => store.create(record)));
    await redis.command("CONFIG", "SET", "maxmemory", "1");
  });
  afterEach(() => redis.command("CONFIG", "SET", "maxmemory", "0"));
  afterAll(async () => {
    await store.close();
    await redis.dispose();
  });

  const [first, second, third] = [0, 1, 2].map((n) => () => stored[n] ?? liveRecord()) as [
    () => SessionRecord,
    () => SessionRecord,
    () => SessionRecord,
  ];

  it("P7: refuses what needs memory, keeps all that was acknowledged, and heals", async () => {
    const { id } = first();
    const other = liveRecord();
    const plusOne = () => ({ data: { set: map({ n: "1" }) } });
    await expect(store.create(other)).rejects.toEqual(FULL);
    await expect(store.update(id, plusOne())).rejects.toEqual(FULL);
    await expect(store.mutate(id, plusOne)).rejects.toEqual(FULL);
    await expect(store.replace(id, endingOf(first(), "login"), other)).rejects.toEqual(FULL);
    expect(await idsOf(store, { state: "live", owner: "alice" })).toEqual(stored.map((record) => record.id).sort());
    for (const record of stored) expect((await loaded(store, record.id)).data).toEqual({ n: "0" });
    expect(await store.load(other.id)).toBeUndefined();
    await redis.command("CONFIG", "SET", "maxmemory", "0");
    await store.create(other);
    expect(await store.update(id, plusOne())).toBe(true);
    expect((await loaded(store, id)).data).toEqual({ n: "1" });
  });

  it("P2: ends sessions all the same", async () => {
    expect(await store.end(first().id, endingOf(first()))).toBe(true);
    expect(await store.load(first().id)).toBeUndefined();
    expect(await endedOf(store, first().id)).toMatchObject({ owner: "alice" });
    expect(await store.end(second().id, { ...endingOf(second()), purgeAt: 0 })).toBe(true);
    expect(await store.load(second().id)).toBeUndefined();
    const guest = liveRecord();
    expect(await store.replace(third().id, endingOf(third(), "logout"), guest)).toBe(true);
    expect(await store.load(third().id)).toBeUndefined();
    expect((await loaded(store, guest.id)).id).toBe(guest.id);
  });

  it("clears sessions all the same", async () => {
    expect(await store.end(first().id, endingOf(first()))).toBe(true);
    expect(await store.clear(Date.now() + 100 * 3_600_000)).toBe(stored.length);
    expect(await store.tally(Date.now())).toEqual([]);
  });
});
