import { Pool } from "pg";
import { PostgresStore } from "../../../lib/stores/postgres/postgres-store";
import type { PostgresPool } from "../../../lib/stores/postgres/postgres-store";
import { endedOf, endingOf, liveRecord, map } from "../../../lib/testing/store-contract/sample-records";
import { describeOnPostgres, dropSchema, freshSchema, postgresUrl } from "../../support/postgres-server";

describeOnPostgres("What is asked of PostgresStore in one turn", () => {
  const schema = freshSchema();
  const pool = new Pool({ connectionString: postgresUrl(), max: 3 });
  let sent = 0;
  const counting = Object.create(pool, {
    connect: {
      value: (taken: Parameters<Pool["connect"]>[0]) => {
        sent += 1;
        pool.connect(taken);
      },
    },
  }) as PostgresPool;
  const store = new PostgresStore({ pool: counting, schema, timeoutMs: 20_000 });
  beforeAll(() => store.migrate());
  afterAll(async () => {
    await store.close();
    await pool.end();
    await dropSchema(schema);
  });

  async function statementsOf(work: () => Promise<unknown>): Promise<number> {
    sent = 0;
    await work();
    return sent;
  }

  it("is one statement of each kind: creates, changes that look first, ends, and looks for ended ones", async () => {
    const records = Array.from({ length: 50 }, () => liveRecord());
    const ofEach = (work: (id: string) => Promise<unknown>) => () => Promise.all(records.map(({ id }) => work(id)));
    expect(await statementsOf(() => Promise.all(records.map((record) => store.create(record))))).toBe(1);
    const change = () => ({ data: { set: map({ n: "1" }) } });
    expect(await statementsOf(ofEach((id) => store.mutate(id, change)))).toBe(2);
    expect(await store.load(records[49]!.id)).toMatchObject({ data: { n: "1" } });
    expect(await statementsOf(ofEach((id) => store.end(id, endingOf(records[0]!))))).toBe(1);
    expect(await statementsOf(ofEach((id) => endedOf(store, id)))).toBe(1);
    expect(await endedOf(store, records[49]!.id)).toMatchObject({ id: records[49]!.id });
  });

  it("is created once where two ask for the same id, and large ones are several statements", async () => {
    const record = liveRecord();
    const [first, second] = await Promise.allSettled([store.create(record), store.create(record)]);
    expect(first.status).toBe("fulfilled");
    expect(second).toMatchObject({ status: "rejected", reason: { code: "SESSION_EXISTS" } });
    const large = Array.from({ length: 4 }, () => liveRecord({ data: map({ text: "x".repeat(2 ** 21) }) }));
    expect(await statementsOf(() => Promise.all(large.map((each) => store.create(each))))).toBe(2);
    for (const { id } of large) expect(await store.load(id)).toBeDefined();
  });

  it("fails alone where PostgreSQL refuses it", async () => {
    const [good, other, bad] = [liveRecord(), liveRecord(), { ...liveRecord(), v: 100_000 as 1 }];
    const outcomes = await Promise.allSettled([good, bad, other].map((record) => store.create(record)));
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    for (const { id } of [good, other]) expect(await store.load(id)).toBeDefined();
    expect(await store.load(bad.id)).toBeUndefined();
  });
});
