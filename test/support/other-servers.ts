import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { OwnPostgres } from "./own-postgres";
import { OwnRedis } from "./own-redis";

/** A version of a server that the tests can start. */
export interface OtherServer {
  /** Such as "PostgreSQL 13.23". */
  readonly name: string;
  readonly store: "PostgresStore" | "RedisStore";
  /** Starts it. The tests of the store run on it with these variables of the environment. */
  start(): Promise<{ readonly env: NodeJS.ProcessEnv; stop(): Promise<void> }>;
}

/**
 * The servers whose programs are in these folders, which are listed as in `PATH`: `initdb` and `postgres`, or
 * `redis-server` and `redis-cli`, or `valkey-server` and `valkey-cli`. Throws where a folder has none of them.
 */
export function otherServers(folders: string): OtherServer[] {
  return folders.split(delimiter).filter(Boolean).map(serverIn);
}

function serverIn(folder: string): OtherServer {
  const postgres = programIn(folder, "postgres");
  if (postgres !== undefined) return postgresIn(folder, `PostgreSQL ${versionOf(postgres)}`);
  for (const [kind, name] of [
    ["valkey", "Valkey"],
    ["redis", "Redis"],
  ] as const) {
    const [server, cli] = [programIn(folder, `${kind}-server`), programIn(folder, `${kind}-cli`)];
    if (server !== undefined && cli !== undefined) return redisIn({ server, cli }, `${name} ${versionOf(server)}`);
  }
  throw new Error(`There is no server in ${folder}: it needs postgres and initdb, or redis-server and redis-cli.`);
}

/** By this very name, even if it is a link: what one of these programs does follows from the name it is called by. */
function programIn(folder: string, name: string): string | undefined {
  const path = join(folder, name);
  return existsSync(path) ? path : undefined;
}

function versionOf(program: string): string {
  const text = execFileSync(program, ["--version"], { encoding: "utf8" });
  return /\d+(?:\.\d+)+/.exec(text)?.[0] ?? text.trim();
}

function postgresIn(folder: string, name: string): OtherServer {
  return {
    name,
    store: "PostgresStore",
    start: async () => {
      const server = await new OwnPostgres(folder).start();
      return { env: { ...firstOf(folder), COATCHECK_TEST_POSTGRES: server.url }, stop: () => server.stop() };
    },
  };
}

function redisIn({ server, cli }: { readonly server: string; readonly cli: string }, name: string): OtherServer {
  return {
    name,
    store: "RedisStore",
    start: async () => {
      // The tests that start servers of their own know them by the names that Redis gave them.
      const folder = mkdtempSync(join(tmpdir(), "coatcheck-programs-"));
      symlinkSync(server, join(folder, "redis-server"));
      symlinkSync(cli, join(folder, "redis-cli"));
      const redis = await OwnRedis.startProgram(server);
      const stop = async () => {
        await redis.dispose();
        rmSync(folder, { recursive: true });
      };
      return { env: { ...firstOf(folder), COATCHECK_TEST_REDIS: redis.url }, stop };
    },
  };
}

function firstOf(folder: string): NodeJS.ProcessEnv {
  return { PATH: [folder, process.env.PATH].join(delimiter) };
}
