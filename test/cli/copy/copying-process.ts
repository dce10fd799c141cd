import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { PostgresStore } from "../../../lib/stores/postgres/postgres-store";
import { RedisStore } from "../../../lib/stores/redis/redis-store";
import { SqliteStore } from "../../../lib/stores/sqlite/sqlite-store";
import type { SessionStore } from "../../../lib/stores/store";
import type { CommandLine } from "../../support/command-line";
import { describeOnOwnRedis, OwnRedis } from "../../support/own-redis";
import { describeOnPostgres, freshSchema, postgresUrl } from "../../support/postgres-server";

/** A store that the command line can copy to. */
export interface Target {
  readonly address: string;
  readonly store: SessionStore;
}

/** Runs a suite with a target of each kind, empty for each test. */
export function describeOnEveryTarget(name: string, cli: CommandLine, body: (target: () => Target) => void): void {
  const suite = (open: () => Promise<Target> | Target) => {
    let target: Target;
    beforeEach(async () => void (target = await open()));
    afterEach(() => target.store.close());
    body(() => target);
  };
  describe(`${name}, to SqliteStore`, () => {
    suite(() => ({ address: "sqlite:new", store: new SqliteStore({ path: join(cli.folder(), "new"), now: () => 0 }) }));
  });
  describeOnOwnRedis(`${name}, to RedisStore`, () => {
    const servers: OwnRedis[] = [];
    afterEach(async () => {
      for (const server of servers.splice(0)) await server.dispose();
    });
    suite(async () => {
      const server = await OwnRedis.start("--appendfsync", "no");
      servers.push(server);
      return { address: server.url, store: new RedisStore({ url: server.url, now: () => 0 }) };
    });
  });
  describeOnPostgres(`${name}, to PostgresStore`, () => {
    suite(() => {
      const schema = freshSchema();
      const store = new PostgresStore({
        url: postgresUrl(),
        schema,
        now: () => 0,
        timeoutMs: 20_000,
        poolOptions: { max: 2 },
      });
      return { address: `${postgresUrl()}?schema=${schema}`, store };
    });
  });
}

/** Starts a copy in a process of its own. */
export function startCopy(cli: CommandLine, from: string, to: string) {
  const args = [cli.script(), "copy", "--from", from, "--to", to];
  const child = spawn(process.execPath, args, { cwd: cli.folder(), env: cli.env(), stdio: "ignore" });
  const ended = once(child, "exit") as Promise<[number | null, NodeJS.Signals | null]>;
  return { child, ended };
}

/** How many live sessions a store has. */
export async function sizeOf(store: SessionStore): Promise<number> {
  return (await store.tally(Date.now())).reduce((sum, { live }) => sum + live, 0);
}
