import { execFile, spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { freePort } from "./free-port";
import { withRedis } from "./redis-server";

/** How long a server may take to start, in milliseconds. */
const START_MS = 20_000;
/** How far above its own port a node of a Cluster listens for the others. */
const CLUSTER_BUS = 10_000;

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
  readonly #program: string;
  readonly #args: readonly string[];
  #server: ChildProcess | undefined;

  private constructor(port: number, program: string, args: readonly string[]) {
    this.port = port;
    this.#program = program;
    this.#args = args;
  }

  static start(...args: readonly string[]): Promise<OwnRedis> {
    return OwnRedis.startProgram("redis-server", ...args);
  }

  /** Starts this `redis-server`, or `valkey-server`. */
  static async startProgram(program: string, ...args: readonly string[]): Promise<OwnRedis> {
    const redis = new OwnRedis(await freePort(CLUSTER_BUS), program, args);
    started.add(redis);
    await redis.start();
    return redis;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Starts it, with what it had stored before, and further arguments for this time. */
  async start(...argsNow: readonly string[]): Promise<void> {
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
    this.#server = spawn(this.#program, [...options, ...durable, ...this.#args, ...argsNow], { stdio: "ignore" });
    const until = Date.now() + START_MS;
    while ((await this.reply("PING")) !== "PONG") {
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

  /** Stops it where it is, with its connections open, until it goes on. */
  freeze(): void {
    this.#server?.kill("SIGSTOP");
  }

  /** Lets it go on. */
  thaw(): void {
    this.#server?.kill("SIGCONT");
  }

  /** Ends it for good. */
  async dispose(): Promise<void> {
    started.delete(this);
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** What it answers, an error too, or nothing where it does not run. Rejects if it has ended by itself. */
  async reply(...command: string[]): Promise<string> {
    const code = this.#server?.exitCode ?? undefined;
    if (code !== undefined)
      throw new Error(`redis-server on port ${this.port} ended by itself, with exit code ${code}.`);
    const args = ["-p", String(this.port), ...command];
    const answer = await promisify(execFile)("redis-cli", args).catch(() => ({ stdout: "" }));
    return answer.stdout.trim();
  }

  /** A section of `INFO`. */
  async info(section: string): Promise<string> {
    return String(await this.command("INFO", section));
  }

  /** Sends a command. */
  command(...command: string[]): Promise<unknown> {
    return withRedis((client) => client.sendCommand(command), this.url);
  }
}
