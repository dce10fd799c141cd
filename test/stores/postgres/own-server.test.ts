import { setTimeout as sleep } from "node:timers/promises";
import { Pool } from "pg";
import { PostgresStore } from "../../../lib/stores/postgres/postgres-store";
import { storeContract } from "../../../lib/testing/store-contract/store-contract";
import { endingOf, liveRecord, map } from "../../../lib/testing/store-contract/sample-records";
import { describeWithOwn, OwnBouncer, OwnPostgres } from "../../support/own-postgres";

describeWithOwn(["postgres"], "PostgresStore on a server that is killed", () => {
  let server: OwnPostgres;
  beforeAll(async () => (server = await new OwnPostgres().start()), 120_000);
  afterAll(() => server.stop());

  it("P2, P7: loses nothing that was acknowledged, brings nothing back, and heals by itself", async () => {
    const store = new PostgresStore({ url: server.url, timeoutMs: 2_000 });
    await store.migrate();
    const counted = new Map<string, number>();
    const tried = new Map<string, number>();
    const ended = new Set<string>();
    const codes = new Set<unknown>();
    let isOver = false;
    const work = async () => {
      while (!isOver) {
        try {
          const record = liveRecord({ data: map({ n: "0" }) });
          await store.create(record);
          counted.set(record.id, 0);
          for (let n = 1; n < 4; n += 1) {
            tried.set(record.id, n);
            await store.update(record.id, { data: { set: map({ n: String(n) }) } });
            counted.set(record.id, n);
          }
          if (Math.random() < 0.5) continue;
          await store.end(record.id, endingOf(record));
          ended.add(record.id);
        } catch (error) {
          codes.add((error as { code?: unknown }).code);
          await sleep(20);
        }
      }
    };
    const workers = Array.from({ length: 16 }, work);
    for (let round = 0; round < 3; round += 1) {
      await sleep(400);
      await server.kill();
      await sleep(100);
      await server.start();
    }
    const before = counted.size;
    await sleep(500);
    isOver = true;
    await Promise.all(workers);
    expect(counted.size).toBeGreaterThan(before);
    expect([...codes].filter((code) => code !== "SESSION_STORE" && code !== "SESSION_STORE_TIMEOUT")).toEqual([]);
    const unsure = new Set([...tried].filter(([id, n]) => counted.get(id) !== n).map(([id]) => id));
    for (const [id, n] of counted) {
      const record = await store.load(id);
      if (ended.has(id)) expect(record).toBeUndefined();
      else if (record !== undefined && !unsure.has(id)) expect(record.data.n).toBe(String(n));
      else if (record !== undefined) expect(Number(record.data.n)).toBeGreaterThanOrEqual(n);
      // A record that is gone all the same was ended by a call whose answer was lost.
      else expect(n).toBe(3);
    }
    await store.close();
  }, 180_000);
});

describeWithOwn(["postgres", "pgbouncer"], "PostgresStore behind PgBouncer in transaction mode", () => {
  let server: OwnPostgres;
  let bouncer: OwnBouncer;
  let schemas = 0;
  beforeAll(async () => {
    server = await new OwnPostgres().start();
    bouncer = await new OwnBouncer().start(server.port);
  }, 120_000);
  afterAll(async () => {
    await bouncer.stop();
    await server.stop();
  });

  storeContract(
    (now) => {
      const pool = new Pool({ connectionString: bouncer.url, max: 8 });
      const store = new PostgresStore({ pool, schema: `s${(schemas += 1)}`, now, timeoutMs: 20_000 });
      return { store, dispose: () => pool.end() };
    },
    { describe, it },
  );
});
