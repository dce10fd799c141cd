import { RedisStore } from "../../../lib/stores/redis/redis-store";
import type { RedisClient } from "../../../lib/stores/redis/redis-store";
import { endedOf, endingOf, idsOf, liveRecord, loaded, map } from "../../../lib/testing/store-contract/sample-records";
import { describeOnRedis, forgetPrefix, freshPrefix, redisUrl, withRedis } from "../../support/redis-server";

type Send = (command: readonly (string | Buffer)[], options: object) => Promise<unknown>;

/** A store whose client sends each write a second time, as one does whose connection was lost before the answer. */
describeOnRedis("What a client sends again", () => {
  const prefix = freshPrefix();
  /** What happens between the first time and the second. */
  let between: () => Promise<unknown>;
  let store: RedisStore;
  let direct: RedisStore;
  let done: () => void;

  beforeAll(async () => {
    direct = new RedisStore({ url: redisUrl(), prefix });
    await new Promise<void>((ready) => {
      void withRedis(async (client) => {
        const send = client.sendCommand.bind(client) as Send;
        const twice: Send = async (command, options) => {
          const first = await send(command, options);
          if (String(command[0]) === "HGETALL") return first;
          await between();
          return send(command, options);
        };
        store = new RedisStore({ client: { isReady: true, sendCommand: twice } as RedisClient, prefix });
        ready();
        await new Promise<void>((resolve) => (done = resolve));
      });
    });
  });
  beforeEach(() => (between = async () => undefined));
  afterAll(async () => {
    done();
    await store.close();
    await direct.close();
    await forgetPrefix(prefix);
  });

  it("is answered as the first time, and done once", async () => {
    const record = liveRecord({ data: map({ n: "1" }) });
    await store.create(record);
    expect(await store.update(record.id, { counters: { requests: 1 } })).toBe(true);
    expect((await loaded(store, record.id)).counters.requests).toBe(1);
    const plusOne = ({ data }: { data: Record<string, unknown> }) => ({
      data: { set: map({ n: String(Number(data.n) + 1) }) },
    });
    expect((await store.mutate(record.id, plusOne))?.data.n).toBe("2");
    const successor = liveRecord();
    expect(await store.replace(record.id, endingOf(record, "login"), successor)).toBe(true);
    expect(await store.end(successor.id, endingOf(successor))).toBe(true);
    const other = liveRecord();
    await store.create(other);
    expect(await store.end(other.id, { ...endingOf(other), purgeAt: 0 })).toBe(true);
  });

  it("P2: creates no session that has ended meanwhile", async () => {
    for (const kept of [true, false]) {
      const record = liveRecord();
      const ending = endingOf(record);
      between = () => direct.end(record.id, kept ? ending : { ...ending, purgeAt: 0 });
      await expect(store.create(record)).rejects.toMatchObject({ code: "SESSION_EXISTS" });
      expect(await store.load(record.id)).toBeUndefined();
    }
  });

  it("P2: does not bring back a successor that has ended meanwhile", async () => {
    const [record, successor] = [liveRecord(), liveRecord()];
    await direct.create(record);
    between = () => direct.end(successor.id, endingOf(successor));
    expect(await store.replace(record.id, endingOf(record, "login"), successor)).toBe(true);
    expect(await store.load(successor.id)).toBeUndefined();
  });
});

describeOnRedis("An id that an app uses again", () => {
  it("is found as ended only with its last owner, and cleared when that is due", async () => {
    const prefix = freshPrefix();
    const store = new RedisStore({ url: redisUrl(), prefix });
    const now = Date.now();
    const first = liveRecord({ owner: "alice" });
    await store.create(first);
    await store.end(first.id, { ...endingOf(first), message: "for alice", purgeAt: now + 1_000_000 });
    const second = { ...first, owner: "bob" };
    await store.create(second);
    await store.end(first.id, { ...endingOf(second), endedBy: null, purgeAt: now + 9_000_000 });
    expect(await idsOf(store, { state: "ended", owner: "alice" })).toEqual([]);
    expect(await idsOf(store, { state: "ended", owner: "bob" })).toEqual([first.id]);
    expect(await endedOf(store, first.id)).toMatchObject({ owner: "bob", endedBy: null });
    expect(await endedOf(store, first.id)).not.toHaveProperty("message");
    expect(await store.clear(now + 5_000_000)).toBe(0);
    expect(await store.clear(now + 10_000_000)).toBe(1);
    await store.close();
    await forgetPrefix(prefix);
  });
});
