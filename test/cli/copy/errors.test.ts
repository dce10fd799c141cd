import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { idsOf } from "../../../lib/testing/store-contract/sample-records";
import { RedisStore } from "../../../lib/stores/redis/redis-store";
import { SqliteStore } from "../../../lib/stores/sqlite/sqlite-store";
import { commandLine } from "../../support/command-line";
import { describeOnOwnRedis, OwnRedis } from "../../support/own-redis";
import { describeOnPostgres, freshSchema, inPostgres, postgresUrl, quoted } from "../../support/postgres-server";
import { sessionRecord } from "../../support/session-records";
import { inFile } from "../../support/sqlite-checks";
import { TcpRelay } from "../../support/tcp-relay";
import { sizeOf } from "./copying-process";

const cli = commandLine();
/** It starts a server and several processes, and each call to a server that is gone may take its five seconds. */
const TIMEOUT_MS = 90_000;
const PASSWORD = "s3cret";

/** Fills the folder's store `old`. */
async function seed(count: number, fields = {}): Promise<string[]> {
  const store = new SqliteStore({ path: join(cli.folder(), "old") });
  const records = Array.from({ length: count }, () => sessionRecord(fields));
  await Promise.all(records.map((record) => store.create(record)));
  await store.close();
  return records.map(({ id }) => id);
}

const copyTo = (address: string, ...more: string[]) =>
  cli.run(["copy", "--from", "sqlite:old", "--to", address, ...more]);

describe("coatcheck copy that can't", () => {
  it.each([
    [["--to", "sqlite:new"], "--from takes an address"],
    [["--from", "sqlite:old"], "--to takes an address"],
    [["--from", `mysql://alice:${PASSWORD}@h`, "--to", "sqlite:new"], "--from names no store"],
    [
      ["--from", "sqlite:old", "--to", `postgres://alice:${PASSWORD}@h:port/x`],
      "--to is not a valid postgres: address",
    ],
    [["--from", "sqlite:none", "--to", "sqlite:new"], "There are no sessions in"],
    [["--from", "sqlite:old", "--to", "sqlite:./x/../old/"], "the same store"],
    [["--from", "sqlite:old", "--to", `redis://:${PASSWORD}@127.0.0.1:1`], "The target, Redis at 127.0.0.1:1: "],
    [
      ["--from", `postgres://alice:${PASSWORD}@127.0.0.1:1/x`, "--to", "sqlite:new"],
      "The source, PostgreSQL at 127.0.0.1:1/x: ",
    ],
  ])("says so and repeats no password: %j", async (args, message) => {
    await seed(1);
    const { code, stdout, stderr } = await cli.run(["copy", ...args]);
    expect([stdout, stderr]).toEqual(["", expect.stringContaining(message)]);
    expect(code).toBeGreaterThan(0);
    expect(stderr).not.toMatch(/s3cret|alice|\n\s+at /);
  });

  it("says that the source has no sessions", async () => {
    await seed(0);
    const { code, stderr } = await copyTo("sqlite:new");
    expect([code, stderr]).toEqual([0, expect.stringMatching(/The source, .*old, has no sessions; check that --from/)]);
  });

  it("names a session that the target can't read, and copies the others", async () => {
    const [first] = await seed(3);
    expect((await copyTo("sqlite:new")).code).toBe(0);
    inFile(join(cli.folder(), "new"), (db) => db.prepare("UPDATE session SET format = 2 WHERE id = ?").run(first!));
    const source = new SqliteStore({ path: join(cli.folder(), "old") });
    await source.create(sessionRecord());
    await source.close();
    const { code, stdout, stderr } = await copyTo("sqlite:new");
    expect([code, stderr]).toEqual([1, expect.stringContaining(`${first!} was not copied: The target, `)]);
    expect(stderr).toContain("upgrade coatcheck");
    expect(stdout).toContain("1 session copied, 0 updated, 0 ended, 1 failed");
  });

  it("tells of sessions that both apps have changed, and keeps the target's", async () => {
    const [id] = await seed(1);
    await copyTo("sqlite:new");
    for (const folder of ["old", "new"]) {
      const store = new SqliteStore({ path: join(cli.folder(), folder) });
      await store.update(id!, { data: { set: { from: JSON.stringify(folder) } } });
      await store.close();
    }
    const { code, stdout, stderr } = await copyTo("sqlite:new");
    expect([code, stderr]).toEqual([
      0,
      `coatcheck: the session ${id!} was changed in both stores; the target keeps its own.\n`,
    ]);
    expect(stdout).toContain("1 changed in both");
  });
});

describeOnOwnRedis("coatcheck copy to a Redis with trouble", () => {
  it("knows the same store by another address", async () => {
    const redis = await OwnRedis.start();
    const relay = await new TcpRelay(`127.0.0.1:${redis.port}`).open();
    const store = new RedisStore({ url: redis.url });
    await store.create(sessionRecord());
    const args = ["copy", "--from", redis.url, "--to", `redis://:@${relay.address}`];
    expect(await cli.run(args)).toMatchObject({ code: 2, stderr: "coatcheck: --from and --to name the same store.\n" });
    expect((await idsOf(store, { state: "live" })).length).toBe(1);
    expect(await idsOf(store, { state: "ended" })).toEqual([]);
    await store.close();
    await relay.close();
    await redis.dispose();
  });

  it(
    "that is cut off in the middle: says how far it came, and the next run goes on",
    async () => {
      const ids = await seed(300);
      const redis = await OwnRedis.start("--appendfsync", "no");
      const relay = await new TcpRelay(`127.0.0.1:${redis.port}`).open();
      const store = new RedisStore({ url: redis.url });
      const run = copyTo(`redis://${relay.address}`);
      while ((await sizeOf(store)) < 100) await setImmediate();
      await relay.close();
      const { code, stderr } = await run;
      expect([code, stderr]).toEqual([1, expect.stringMatching(/The target, Redis at .*Redis failed/)]);
      expect(stderr).toMatch(
        /coatcheck: \d+ sessions copied, 0 updated, 0 ended until then. Run the same command again/,
      );
      await relay.open();
      expect(await copyTo(`redis://${relay.address}`)).toMatchObject({ code: 0 });
      expect((await idsOf(store, { state: "live" })).length).toBe(ids.length);
      await store.close();
      await relay.close();
      await redis.dispose();
    },
    TIMEOUT_MS,
  );

  it("that is full: gives up with Redis's own words", async () => {
    await seed(400, { userAgent: "x".repeat(20_000) });
    const redis = await OwnRedis.start("--maxmemory", "5mb", "--maxmemory-policy", "noeviction");
    const { code, stdout, stderr } = await copyTo(redis.url);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/given up after \d+ failures, the last of them: The target, Redis .*maxmemory/);
    await redis.dispose();
  });
});

describeOnPostgres("coatcheck copy and tables of a newer version", () => {
  it.each(["source", "target"])("are refused, as %s", async (side) => {
    await seed(1);
    const schema = freshSchema();
    const address = `${postgresUrl()}?schema=${schema}`;
    expect((await copyTo(address)).code).toBe(0);
    await inPostgres(`UPDATE ${quoted(schema)}.coatcheck_session_meta SET version = 2`);
    const args = side === "target" ? ["sqlite:old", address] : [address, "sqlite:new"];
    const { code, stderr } = await cli.run(["copy", "--from", args[0]!, "--to", args[1]!]);
    expect([code, stderr]).toEqual([1, expect.stringContaining("upgrade coatcheck")]);
    expect(stderr).toContain(`The ${side}, PostgreSQL`);
  });
});
