import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "./free-port";
import { withRedis } from "./redis-server";

/** How long a server may take to start, in milliseconds. */
const START_MS = 20_000;

const isInstalled = ["redis-server", "redis-cli"].every((name) => spawnSync(name, ["--version"]).status === 0);

const started = new Set<OwnRedis>();

/**
 * `describe` for tests that start a `redis-server` of their own; what a test that failed has left running ends with
 * them. Where it is not installed they are skipped.
 */
export function describeOnOwnRedis(name: string, body: () => void): void {
  const withServers = () => {
    body();
    afterAll(() => Promise.all([...started].map((redis) => redis.dispose())));
  };
  if (isInstalled || process.env.CI) describe(name, withServers);
  else describe.skip(`${name} (install redis-server and redis-cli)`, body);
}

/** A `redis-server` of the test's own, which it may kill and start again. It writes to disk what it acknowledges. */
export class OwnRedis {
  readonly port: number;
  readonly #folder = mkdtempSync(join(tmpdir(), "coatcheck-redis-"));
  readonly #args: readonly string[];
  #server: ChildProcess | undefined;

  private constructor(port: number, args: readonly string[]) {
    this.port = port;
    this.#args = args;
  }

  static async start(...args: readonly string[]): Promise<OwnRedis> {
    const redis = new OwnRedis(await freePort(), args);
    started.add(redis);
    await redis.start();
    return redis;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Starts it, with what it had stored before. */
  async start(): Promise<void> {
    const options = [
      "--port",
      String(this.port),
      "--bind",
      "127.0.0.1",
      "--dir",
      this.#folder,
      "--save",
      "",
      "--repl-diskless-sync-delay",
      "0",
    ];
    const durable = ["--appendonly", "yes", "--appendfsync", "always"];
    this.#server = spawn("redis-server", [...options, ...durable, ...this.#args], { stdio: "ignore" });
    const until = Date.now() + START_MS;
    while (!(await this.#answers())) {
      if (Date.now() > until) throw new Error(`redis-server did not start on port ${this.port}.`);
      await sleep(50);
    }
  }

  /** Ends it at once (SIGKILL). */
  async kill(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server?.exitCode !== null) return;
    const ended = once(server, "exit");
    server.kill("SIGKILL");
    await ended;
  }

  /** Ends it for good. */
  async dispose(): Promise<void> {
    started.delete(this);
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #answers(): Promise<boolean> {
    const answer = spawnSync("redis-cli", ["-p", String(this.port), "PING"], { encoding: "utf8" });
    return answer.stdout.trim() === "PONG";
  }

  /** Sends a command. */
  command(...command: string[]): Promise<unknown> {
    return withRedis((client) => client.sendCommand(command), this.url);
  }
}
