import { setTimeout as sleep } from "node:timers/promises";
import { inspect } from "node:util";
import { Pool } from "pg";
import type { SessionError } from "../../../lib/errors";
import { PostgresStore } from "../../../lib/stores/postgres/postgres-store";
import { endingOf, liveRecord, map } from "../../../lib/testing/store-contract/sample-records";
import { describeOnPostgres, freshSchema, inPostgres, postgresUrl, quoted } from "../../support/postgres-server";
import { TcpRelay } from "../../support/tcp-relay";

const TIMEOUT_MS = 400;
/** What a busy machine may add. */
const SLACK_MS = 2_000;

describeOnPostgres("PostgresStore on a line that fails", () => {
  let relay: TcpRelay;
  let store: PostgresStore;
  const record = liveRecord();

  beforeEach(async () => {
    const { host } = new URL(postgresUrl());
    relay = await new TcpRelay(host).open();
    const url = new URL(postgresUrl());
    url.host = relay.address;
    const schema = freshSchema();
    // A busy machine may need more than this limit to make the tables.
    const patient = new PostgresStore({ url: postgresUrl(), schema });
    await patient.create({ ...record });
    await patient.close();
    store = new PostgresStore({ url: url.href, schema, timeoutMs: TIMEOUT_MS, poolOptions: { max: 3 } });
    await store.load(record.id);
  });
  afterEach(async () => {
    await relay.close().catch(() => undefined);
    await store.close();
  });

  const calls = (): [string, () => unknown][] => [
    ["load", () => store.load(record.id)],
    ["create", () => store.create(liveRecord())],
    ["update", () => store.update(record.id, { data: { set: map({ a: "1" }) } })],
    ["mutate", () => store.mutate(record.id, () => ({ data: { set: map({ a: "1" }) } }))],
    ["end", () => store.end(liveRecord().id, endingOf(record))],
    ["replace", () => store.replace(liveRecord().id, endingOf(record), liveRecord())],
    ["tally", () => store.tally(Date.now())],
    ["clear", () => store.clear(0)],
    ["find", async () => (await store.find({ state: "live" })[Symbol.asyncIterator]().next()).value],
  ];

  async function codes(): Promise<unknown[]> {
    const start = performance.now();
    const told = await Promise.all(
      calls().map(async ([name, call]) => {
        try {
          await call();
          return `${name} succeeded`;
        } catch (error) {
          return (error as SessionError).code;
        }
      }),
    );
    expect(performance.now() - start).toBeLessThan(2 * TIMEOUT_MS + SLACK_MS);
    return [...new Set(told)];
  }

  async function healed(): Promise<void> {
    for (let tries = 0; tries < 50; tries += 1) {
      if ((await codes()).every((code) => String(code).endsWith("succeeded"))) return;
      await sleep(50);
    }
    expect(await codes()).toEqual([]);
  }

  it("P7: fails in time while nothing is answered, and heals by itself", async () => {
    relay.keepsAnswers = true;
    expect(await codes()).toEqual(["SESSION_STORE_TIMEOUT"]);
    relay.keepsAnswers = false;
    await healed();
  });

  it("P7: fails at once while nobody listens, and heals by itself", async () => {
    await relay.close();
    expect(await codes()).toEqual(["SESSION_STORE"]);
    await relay.open();
    await healed();
  });

  it("loads on a new connection where the old one was lost", async () => {
    await relay.close();
    await relay.open();
    expect((await store.load(record.id))?.id).toBe(record.id);
  });
});

describeOnPostgres("PostgresStore's errors", () => {
  it("P6: hold no stored value, whatever PostgreSQL says", async () => {
    const schema = freshSchema();
    const store = new PostgresStore({ url: postgresUrl(), schema });
    await store.migrate();
    const table = `${quoted(schema)}.coatcheck_session`;
    await inPostgres(`ALTER TABLE ${table} ADD CHECK (owner <> 'alice' AND NOT data ? 'bad')`);
    const secrets = { owner: "alice", userAgent: "s3cret agent", data: map({ k: '"s3cret"' }) };
    const kept = liveRecord();
    await store.create(kept);
    const failures = [
      store.create(liveRecord(secrets)),
      store.replace(kept.id, endingOf(kept), liveRecord(secrets)),
      store.update(kept.id, { owner: "alice", data: { set: secrets.data } }),
      store.mutate(kept.id, () => ({ data: { set: map({ bad: '"s3cret"' }) } })),
      // PostgreSQL tells what it could not read as a number, in the message itself.
      store.create(liveRecord({ createdAt: "s3cret" as never })),
    ];
    for (const failure of failures) {
      const error: unknown = await failure.catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: "SESSION_STORE", cause: { code: expect.stringMatching(/^2/) } });
      expect(inspect(error, { depth: Infinity, showHidden: true })).not.toMatch(/s3cret|alice/);
    }
    expect((await store.load(kept.id))?.data).toEqual({});
    await store.close();
  });

  it("of one update are not those of others of the same turn", async () => {
    const schema = freshSchema();
    const store = new PostgresStore({ url: postgresUrl(), schema });
    await store.migrate();
    await inPostgres(`ALTER TABLE ${quoted(schema)}.coatcheck_session ADD CHECK (NOT data ? 'bad')`);
    const [one, other] = [liveRecord(), liveRecord()];
    await store.create(one);
    await store.create(other);
    const set = (key: string) => ({ data: { set: map({ [key]: "1" }) } });
    const told = await Promise.allSettled([
      store.update(one.id, set("good")),
      store.update(other.id, set("bad")),
      store.update(other.id, set("good")),
      store.update(liveRecord().id, set("good")),
    ]);
    expect(told.map((result) => (result.status === "fulfilled" ? result.value : "failed"))).toEqual([
      ...[true, "failed", true, false],
    ]);
    expect((await store.load(other.id))?.data).toEqual({ good: "1" });
    await store.close();
  });

  it("say how tables come to be where the role may not make them, and then it may use them", async () => {
    const schema = freshSchema();
    const role = `${schema}_app`;
    await inPostgres(`CREATE SCHEMA ${quoted(schema)}; CREATE ROLE ${quoted(role)} LOGIN PASSWORD 'x'`);
    try {
      await inPostgres(`GRANT USAGE ON SCHEMA ${quoted(schema)} TO ${quoted(role)}`);
      const url = new URL(postgresUrl());
      [url.username, url.password] = [role, "x"];
      const app = new PostgresStore({ url: url.href, schema });
      await expect(app.load("any")).rejects.toMatchObject({
        code: "SESSION_STORE",
        message: expect.stringContaining("npx coatcheck migrate --print"),
      });
      const owner = new PostgresStore({ url: postgresUrl(), schema });
      await owner.migrate();
      await owner.close();
      const table = `${quoted(schema)}.coatcheck_session`;
      await inPostgres(`GRANT SELECT, INSERT, UPDATE, DELETE ON ${table}, ${table}_ended TO ${quoted(role)}`);
      await inPostgres(`GRANT SELECT ON ${table}_meta TO ${quoted(role)}`);
      const record = liveRecord();
      await app.create(record);
      expect(await app.update(record.id, { data: { set: map({ a: "1" }) } })).toBe(true);
      expect(await app.end(record.id, endingOf(record))).toBe(true);
      expect(await app.clear(Number.MAX_SAFE_INTEGER)).toBe(1);
      await app.close();
    } finally {
      await inPostgres(`DROP OWNED BY ${quoted(role)} CASCADE; DROP ROLE ${quoted(role)}`);
    }
  });

  it("end no process: an idle connection that is lost is no error of the app", async () => {
    const pool = new Pool({ connectionString: postgresUrl(), max: 1, application_name: freshSchema() });
    const store = new PostgresStore({ pool, schema: freshSchema() });
    await store.migrate();
    const name = pool.options.application_name;
    await inPostgres("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1", [name]);
    await sleep(100);
    expect(await store.load("any")).toBeUndefined();
    await store.close();
    expect(await pool.query("SELECT 1")).toMatchObject({ rowCount: 1 });
    await pool.end();
  });
});
