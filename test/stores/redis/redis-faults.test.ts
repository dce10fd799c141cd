import { inspect } from "node:util";
import { setTimeout as sleep } from "node:timers/promises";
import { RedisStore } from "../../../lib/stores/redis/redis-store";
import type { RedisClient } from "../../../lib/stores/redis/redis-store";
import { endingOf, liveRecord, loaded, map } from "../../../lib/testing/store-contract/sample-records";
import type { SessionRecord } from "../../../lib/record/session-record";
import { eventually } from "../../support/eventually";
import { describeOnRedis, forgetPrefix, freshPrefix, redisClients, redisUrl } from "../../support/redis-server";
import type { GivenClient } from "../../support/redis-server";
import { TcpRelay } from "../../support/tcp-relay";

/** The deadline of calls, in milliseconds, and what a busy machine may take beside it. */
const TIMEOUT_MS = 500;
const SLACK_MS = 1_500;

/** The code that a call fails with, in time; or undefined where it succeeds. */
async function outcome(call: Promise<unknown>): Promise<string | undefined> {
  const begun = performance.now();
  const code = await call.then(
    () => undefined,
    (error: unknown) => {
      expect(error).toMatchObject({ status: 503 });
      return (error as { code: string }).code;
    },
  );
  expect(performance.now() - begun).toBeLessThan(TIMEOUT_MS + SLACK_MS);
  return code;
}

const OWN = { name: "a client of its own", connect: undefined };

describe.each([...redisClients, OWN])("Where the line to Redis fails, $name", ({ connect }) => {
  describeOnRedis("RedisStore", () => {
    const prefix = freshPrefix();
    const unhandled: unknown[] = [];
    const noteUnhandled = (error: unknown) => unhandled.push(error);
    let relay: TcpRelay;
    let given: GivenClient | undefined;
    let store: RedisStore;
    let record: SessionRecord;

    beforeAll(async () => {
      process.on("unhandledRejection", noteUnhandled);
      const { host } = new URL(redisUrl());
      relay = await new TcpRelay(host).open();
      const url = `redis://${relay.address}`;
      given = await connect?.(url);
      store = new RedisStore({
        ...(given === undefined ? { url } : { client: given.client }),
        prefix,
        timeoutMs: TIMEOUT_MS,
      });
    });
    beforeEach(async () => {
      record = liveRecord({ data: map({ n: "0" }) });
      await eventually(async () => (await store.create(record).catch(() => "failed")) !== "failed");
    });
    afterAll(async () => {
      await store.close();
      await given?.close();
      await relay.close();
      await forgetPrefix(prefix);
      process.off("unhandledRejection", noteUnhandled);
      expect(unhandled).toEqual([]);
    });

    const heals = () => eventually(async () => (await outcome(Promise.resolve(store.load(record.id)))) === undefined);

    it("P7: fails in time while it is cut, writes nothing of that later, and heals", async () => {
      await relay.close();
      // What a client has sent before it notices may be done or not; some send it again.
      await sleep(50);
      const failed = await Promise.all([
        outcome(store.load(record.id)),
        outcome(store.update(record.id, { data: { set: map({ n: "1" }) } })),
        outcome(store.end(record.id, endingOf(record))),
        outcome(store.mutate(record.id, () => ({ data: { set: map({ n: "2" }) } }))),
        outcome(store.tally(Date.now())),
      ]);
      for (const code of failed) expect(code).toMatch(/^SESSION_STORE/);
      await relay.open();
      await heals();
      await sleep(100);
      expect((await loaded(store, record.id)).data.n).toBe("0");
    });

    it("P7: answers or fails in time where it is cut in the middle, and heals", async () => {
      relay.delayMs = 30;
      const calls = Array.from({ length: 20 }, (_, n) =>
        outcome(n % 2 === 0 ? store.load(record.id) : store.update(record.id, { counters: { n: 1 } })),
      );
      await sleep(20);
      relay.cut();
      relay.delayMs = 0;
      await Promise.all(calls);
      await heals();
      expect((await loaded(store, record.id)).counters.n ?? 0).toBeLessThanOrEqual(10);
    });

    it("P7: fails in time while it is frozen, and heals", async () => {
      relay.freeze();
      expect(await outcome(store.load(record.id))).toBe("SESSION_STORE_TIMEOUT");
      expect(await outcome(store.update(record.id, {}))).toMatch(/^SESSION_STORE/);
      relay.thaw();
      await heals();
    });

    if (connect === undefined) {
      it("P7: makes a line anew that is dead without a sign of it", async () => {
        relay.freeze("present");
        expect(await outcome(store.load(record.id))).toBe("SESSION_STORE_TIMEOUT");
        await heals();
        relay.cut();
      });
    }

    it("P7: fails in time while answers are lost, and heals once the line is made anew", async () => {
      // Redis knows the script from now on. Otherwise the first answer that is lost says that it doesn't.
      await store.end(liveRecord().id, endingOf(record));
      relay.keepsAnswers = true;
      expect(await outcome(store.end(record.id, endingOf(record)))).toBe("SESSION_STORE_TIMEOUT");
      relay.keepsAnswers = false;
      relay.cut();
      await heals();
      expect(await store.load(record.id)).toBeUndefined();
    });
  });
});

describe("A refusal of Redis", () => {
  const answering = (...replies: readonly unknown[]) => {
    const left = [...replies];
    const sendCommand = async (command: readonly unknown[]) => {
      if (String(command[0]) === "info") return Buffer.from("");
      const reply = left.length > 1 ? left.shift() : left[0];
      if (reply instanceof Error) throw reply;
      return reply;
    };
    return new RedisStore({ client: { isReady: true, sendCommand } as RedisClient, timeoutMs: TIMEOUT_MS });
  };

  it("that passes is waited for, within the time", async () => {
    for (const text of [
      "LOADING Redis is loading the dataset",
      "TRYAGAIN Multiple keys request",
      "CLUSTERDOWN Hash slot",
    ]) {
      const error = new Error(text);
      expect(await answering(error, error, []).load("a")).toBeUndefined();
      await expect(answering(error).load("a")).rejects.toMatchObject({ code: /^SESSION_STORE/ as unknown as string });
    }
  });

  it("P6: is told without what was sent", async () => {
    const error = Object.assign(new Error("ERR unknown command 'EVALSHA', with args beginning with: 'secret'"), {
      command: { name: "evalsha", args: ["secret"] },
    });
    const failed = answering(error).create(liveRecord());
    await expect(failed).rejects.toMatchObject({
      code: "SESSION_STORE",
      message: expect.stringContaining("unknown command"),
    });
    expect(inspect(await failed.catch((thrown: unknown) => thrown), { depth: 9 })).not.toContain("secret");
  });
});
