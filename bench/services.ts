import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../test/support/free-port";
import { missingForEmulator, startEmulator } from "../test/support/start-emulator";
import { isListening } from "./listening";
import { findPostgresServer, startPostgres } from "./start-postgres";

/** What some variants need beside their own server. */
export type Service = "redis" | "postgres" | "datastore";

export interface Services {
  /** Why a service isn't there, in words. */
  readonly missing: ReadonlyMap<Service, string>;
  stop(): Promise<void>;
}

/** Starts the services that this machine has, each on its own port; the servers find them in their environment. */
export async function startServices(): Promise<Services> {
  const missing = new Map<Service, string>();
  const stops: (() => Promise<void>)[] = [];

  const noEmulator = missingForEmulator();
  if (noEmulator === undefined) {
    const host = `127.0.0.1:${await freePort()}`;
    const emulator = await startEmulator(host);
    stops.push(() => emulator.stop());
    Object.assign(process.env, { DATASTORE_EMULATOR_HOST: host, METADATA_SERVER_DETECTION: "none" });
  } else missing.set("datastore", `${noEmulator} is not on this machine`);

  if (spawnSync("redis-server", ["--version"]).status === 0) {
    const port = await freePort();
    stops.push(await startRedis(port));
    process.env.REDIS_URL = `redis://127.0.0.1:${port}`;
  } else missing.set("redis", "redis-server is not on this machine");

  const postgres = findPostgresServer();
  if (postgres !== undefined) {
    const port = await freePort();
    stops.push(await startPostgres(postgres, port));
    process.env.POSTGRES_URL = `postgres://postgres@127.0.0.1:${port}/postgres`;
  } else missing.set("postgres", "PostgreSQL is not on this machine");

  return {
    missing,
    stop: async () => {
      for (const stop of stops) await stop();
    },
  };
}

/** In memory alone, which is its fastest. */
async function startRedis(port: number): Promise<() => Promise<void>> {
  const args = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
  const child = spawn("redis-server", args, { stdio: "ignore" });
  while (!(await isListening(port))) {
    if (child.exitCode !== null) throw new Error(`redis-server ended with ${child.exitCode} on port ${port}.`);
    await sleep(50);
  }
  return async () => {
    const ended = once(child, "exit");
    child.kill();
    await ended;
  };
}
