import { Client, Pool, types } from "pg";
import { PostgresStore } from "../../../lib/stores/postgres/postgres-store";
import {
  endingOf,
  fullRecord,
  idsOf,
  liveRecord,
  map,
  plain,
} from "../../../lib/testing/store-contract/sample-records";
import { eventually } from "../../support/eventually";
import { describeOnPostgres, freshSchema, inPostgres, postgresUrl, quoted } from "../../support/postgres-server";

describeOnPostgres("The tables of PostgresStore", () => {
  const stores: PostgresStore[] = [];
  const open = (schema: string, options: { table?: string; pool?: Pool } = {}) => {
    const source = options.pool === undefined ? { url: postgresUrl() } : {};
    const store = new PostgresStore({ ...source, ...options, schema, timeoutMs: 20_000 });
    stores.push(store);
    return store;
  };
  afterEach(() => Promise.all(stores.splice(0).map((store) => store.close())));

  it("are made once by many instances that start at once", async () => {
    const schema = freshSchema();
    const records = Array.from({ length: 12 }, () => liveRecord());
    await Promise.all(records.map((record) => open(schema).create(record)));
    expect(await idsOf(open(schema), { state: "live" })).toEqual(records.map(({ id }) => id).sort());
    expect((await inPostgres(`SELECT version FROM ${quoted(schema)}.coatcheck_session_meta`)).rows).toEqual([
      { version: 1 },
    ]);
  });

  it("of a newer version are refused, with what to do, and left as they are", async () => {
    const schema = freshSchema();
    const record = liveRecord();
    await open(schema).create(record);
    await inPostgres(`UPDATE ${quoted(schema)}.coatcheck_session_meta SET version = 2`);
    const store = open(schema);
    for (const call of [store.load(record.id), store.create(liveRecord()), store.clear(Date.now())]) {
      await expect(call).rejects.toMatchObject({ code: "SESSION_STORE", message: /upgrade coatcheck/ });
    }
    await inPostgres(`UPDATE ${quoted(schema)}.coatcheck_session_meta SET version = 1`);
    expect((await store.load(record.id))?.id).toBe(record.id);
  });

  it("of something else are refused, and left as they are", async () => {
    const schema = freshSchema();
    await inPostgres(`CREATE SCHEMA ${quoted(schema)}`);
    await inPostgres(`CREATE TABLE ${quoted(schema)}.session (sid text, sess json, expire timestamp)`);
    await expect(open(schema, { table: "session" }).load("any")).rejects.toMatchObject({
      code: "SESSION_STORE",
      message: /name others with the option table/,
    });
    const { rows } = await inPostgres("SELECT table_name FROM information_schema.tables WHERE table_schema = $1", [
      schema,
    ]);
    expect(rows).toEqual([{ table_name: "session" }]);
  });

  it("that are dropped are made again", async () => {
    const schema = freshSchema();
    const store = open(schema);
    await store.create(liveRecord());
    await inPostgres(`DROP SCHEMA ${quoted(schema)} CASCADE`);
    await expect(store.load("any")).rejects.toMatchObject({ code: "SESSION_STORE" });
    expect(await store.load("any")).toBeUndefined();
  });

  it.each([
    ['"; DROP SCHEMA public; --', `'"; DROP TABLE x; --`],
    ["$$ $1 %s", "a.b"],
    ["É 🍵\n\\", '""'],
  ])("have any name: schema %j, table %j", async (name, table) => {
    const schema = `${freshSchema()}${name}`;
    try {
      const store = open(schema, { table });
      const record = liveRecord();
      await store.create(record);
      expect(await idsOf(store, { state: "live", owner: record.owner })).toEqual([record.id]);
      expect(await store.end(record.id, endingOf(record))).toBe(true);
      const text = "SELECT table_name FROM information_schema.tables WHERE table_schema = $1 ORDER BY 1";
      const names = (await inPostgres(text, [schema])).rows.map((row) => row.table_name);
      expect(names.sort()).toEqual([table, `${table}_ended`, `${table}_meta`].sort());
    } finally {
      await inPostgres(`DROP SCHEMA ${quoted(schema)} CASCADE`);
    }
  });

  it("are the same ones whatever the search_path of a connection is, and whatever the app makes of types", async () => {
    const schema = freshSchema();
    const pool = new Pool({ connectionString: postgresUrl(), options: "-c search_path=pg_catalog", max: 2 });
    const before = types.getTypeParser(types.builtins.JSONB);
    types.setTypeParser(types.builtins.JSONB, () => "the app's own");
    try {
      const record = fullRecord();
      await open(schema, { pool }).create(record);
      expect(plain(await open(schema).load(record.id))).toEqual(plain(record));
    } finally {
      types.setTypeParser(types.builtins.JSONB, before);
      await pool.end();
    }
  });

  it("are written by touches without a change of an index", async () => {
    const schema = freshSchema();
    const store = open(schema);
    const records = Array.from({ length: 50 }, () => liveRecord({ data: map({ a: '"some"' }) }));
    await Promise.all(records.map((record) => store.create(record)));
    for (let touch = 1; touch <= 6; touch += 1) {
      const later = (at: number) => at + touch * 5 * 60_000;
      for (const { id, lastSeenAt, expiresAt, purgeAt } of records) {
        const change = { lastSeenAt: later(lastSeenAt), expiresAt: later(expiresAt), purgeAt: later(purgeAt) };
        expect(await store.update(id, change)).toBe(true);
      }
    }
    let counts: Record<string, unknown> | undefined;
    await eventually(async () => {
      const text = `SELECT n_tup_upd::int AS updates, n_tup_hot_upd::int AS hot FROM pg_stat_user_tables
        WHERE schemaname = $1 AND relname = 'coatcheck_session'`;
      [counts] = (await inPostgres(text, [schema])).rows;
      return counts?.updates === 300;
    });
    // A page may be full when the first touch comes.
    expect(Number(counts?.hot)).toBeGreaterThan(270);
  });

  it("are cleared of a record whose end was moved, neither before it nor never", async () => {
    const store = open(freshSchema());
    const now = Date.now();
    const [later, earlier, endless] = [0, 1, 2].map(() => liveRecord({ expiresAt: now, purgeAt: now }));
    for (const record of [later!, earlier!, endless!]) await store.create(record);
    await store.update(later!.id, { expiresAt: now + 1e9, purgeAt: now + 1e9 });
    await store.update(earlier!.id, { expiresAt: now - 1e9, purgeAt: now - 1e9 });
    await store.update(endless!.id, { expiresAt: Infinity, purgeAt: Infinity });
    expect(await store.clear(now)).toBe(1);
    expect(await store.clear(now + 1e8)).toBe(0);
    expect(await store.clear(now + 2e9)).toBe(1);
    expect(await idsOf(store, { state: "live" })).toEqual([endless!.id]);
    await store.update(endless!.id, { expiresAt: now + 1e9, purgeAt: now + 1e9 });
    expect(await store.clear(now + 2e9)).toBe(1);
  });

  it("take one statement for the loads of a turn, one for its updates, and one for its ends", async () => {
    const store = open(freshSchema());
    const records = Array.from({ length: 32 }, () => liveRecord());
    await Promise.all(records.map((record) => store.create(record)));
    const sent = jest.spyOn(Client.prototype, "query");
    try {
      await Promise.all(records.map(({ id }) => store.load(id)));
      expect(sent).toHaveBeenCalledTimes(1);
      await Promise.all(records.map(({ id }) => store.update(id, { counters: { n: 1 } })));
      expect(sent).toHaveBeenCalledTimes(2);
      const ended = await Promise.all([...records, ...records].map((record) => store.end(record.id, endingOf(record))));
      expect(sent).toHaveBeenCalledTimes(3);
      expect(ended).toEqual([...records.map(() => true), ...records.map(() => false)]);
      for (const [config] of sent.mock.calls as unknown as [{ name?: string; text: string }][]) {
        expect(config.name).toBeUndefined();
        for (const { id } of records) expect(config.text).not.toContain(id);
      }
    } finally {
      sent.mockRestore();
    }
  });

  it("P3: count what several instances add at once, each by mutate and by update", async () => {
    const schema = freshSchema();
    const record = liveRecord({ data: map({ n: "0" }) });
    await open(schema).create(record);
    const instances = Array.from({ length: 4 }, () => open(schema));
    await Promise.all(
      instances.flatMap((store) =>
        Array.from({ length: 15 }, async () => {
          await store.mutate(record.id, ({ data }) => ({ data: { set: map({ n: String(Number(data.n) + 1) }) } }));
          await store.update(record.id, { counters: { n: 1 } });
        }),
      ),
    );
    const { data, counters } = (await open(schema).load(record.id))!;
    expect([data.n, counters.n]).toEqual(["60", 60]);
  });
});
