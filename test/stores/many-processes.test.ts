import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { placeOf, storeAt } from "../../lib/options/store-by-environment";
import { endingOf, idsOf, liveRecord, map } from "../../lib/testing/store-contract/sample-records";
import type { SessionRecord } from "../../lib/record/session-record";
import type { SessionStore } from "../../lib/stores/store";
import { compileScripts } from "../support/compiled-scripts";
import { howMany } from "../support/how-many";
import { describeOnPostgres, freshSchema, postgresUrl } from "../support/postgres-server";
import { describeOnRedis, forgetPrefix, freshPrefix, redisUrl } from "../support/redis-server";
import type { StoreCall } from "../support/store-caller";

const HOUR = 3_600_000;
const PROCESSES = 3;

const scripts = compileScripts(["lib", "test/support/store-caller.ts"]);
afterAll(() => scripts.dispose());

describeOnRedis("Several processes with a RedisStore each", () => {
  const prefix = freshPrefix();
  afterAll(() => forgetPrefix(prefix));
  sharing(() => `${redisUrl()}?prefix=${prefix}`);
});

describeOnPostgres("Several processes with a PostgresStore each", () => {
  const schema = freshSchema();
  sharing(() => `${postgresUrl()}?schema=${schema}`);
});

function sharing(address: () => string): void {
  let store: SessionStore;
  let processes: ChildProcess[];

  beforeAll(async () => {
    store = storeAt(placeOf(address(), "The address"), { timeoutMs: 20_000 });
    await store.load("a first call, which makes the tables");
    processes = Array.from({ length: PROCESSES }, () =>
      fork(scripts.path("test/support/store-caller.ts"), [address()], { env: scripts.env, execArgv: ["--expose-gc"] }),
    );
    await Promise.all(processes.map((each) => once(each, "message")));
  });
  afterAll(async () => {
    for (const each of processes) each.disconnect();
    await Promise.all(processes.map((each) => once(each, "exit")));
    await store.close();
  });

  /** What each of them resolves to, when all are asked at the same time. */
  const everywhere = async <T>(call: StoreCall): Promise<T[]> =>
    Promise.all(
      processes.map(async (each) => {
        const returned = once(each, "message");
        each.send(call);
        return ((await returned) as [T])[0];
      }),
    );

  /** `count` sessions, with what `fieldsOf` says. */
  const createAll = async (count: number, fieldsOf: () => Partial<SessionRecord> = () => ({})) => {
    const ids: string[] = [];
    for (let left = count; left > 0; left -= 500) {
      const records = Array.from({ length: Math.min(left, 500) }, () => liveRecord(fieldsOf()));
      await Promise.all(records.map((record) => store.create(record)));
      ids.push(...records.map(({ id }) => id));
    }
    return ids;
  };

  const sum = (numbers: readonly number[]) => numbers.reduce((one, other) => one + other, 0);

  it("clear at once: each record is taken by one of them, and what is not due stays", async () => {
    const due = { purgeAt: Date.now() - HOUR };
    const ended = await createAll(howMany(600, 3_000));
    await Promise.all(ended.map((id) => store.end(id, { ...endingOf(liveRecord()), endedAt: 1, ...due })));
    const expired = await createAll(howMany(1_500, 20_000), () => due);
    const used = await createAll(300);
    // Some that were due are used once more, while others clear them.
    const late = expired.slice(0, 50).map((id) => store.update(id, { purgeAt: Date.now() + HOUR }));
    const cleared = await everywhere<number>("clear");
    const kept = (await Promise.all(late)).flatMap((isKept, n) => (isKept ? [expired[n] ?? ""] : []));
    const rest = await store.clear(Date.now());
    expect(sum(cleared) + rest).toBe(ended.length + expired.length - kept.length);
    expect(await idsOf(store, { state: "live", fields: "header" })).toEqual([...used, ...kept].sort());
    expect(await idsOf(store, { state: "ended" })).toEqual([]);
  });

  it("P2: kill everyone at once: each session is ended by one of them, which tells of it", async () => {
    await createAll(howMany(700, 5_000), () => ({ owner: `user ${Math.floor(Math.random() * 20)}` }));
    const live = await idsOf(store, { state: "live", fields: "header" });
    const kills = await everywhere<{ ended: number; told: string[] }>("kill");
    expect(sum(kills.map(({ ended }) => ended))).toBe(live.length);
    expect(kills.flatMap(({ told }) => told).sort()).toEqual(live);
    expect(await idsOf(store, { state: "live" })).toEqual([]);
  });

  it("find all sessions in constant memory", async () => {
    const count = howMany(4_000, 40_000);
    const length = howMany(10_000, 1_000);
    const data = map({ text: JSON.stringify("x".repeat(length)) });
    await createAll(count, () => ({ data }));
    for (const { found, grown } of await everywhere<{ found: number; grown: number }>("find")) {
      expect(found).toBe(count);
      // All of them together have 40 MB or more.
      expect(grown).toBeLessThan(15_000_000);
    }
  });
}
