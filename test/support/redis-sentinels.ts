import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "./eventually";
import { freePort } from "./free-port";
import { OwnRedis } from "./own-redis";
import { withRedis } from "./redis-server";

/** A primary and a replica of the test's own, and three Sentinels that watch them under the name "shop". */
export class RedisSentinels {
  readonly nodes: readonly OwnRedis[];
  readonly addresses: readonly { readonly host: string; readonly port: number }[];
  readonly #folder = mkdtempSync(join(tmpdir(), "coatcheck-sentinels-"));
  #running: readonly ChildProcess[] = [];

  private constructor(nodes: readonly OwnRedis[], ports: readonly number[], primaryPort: number) {
    this.nodes = nodes;
    this.addresses = ports.map((port) => ({ host: "127.0.0.1", port }));
    for (const port of ports) writeFileSync(this.#config(port), configOf(port, primaryPort, this.#folder));
  }

  static async start(): Promise<RedisSentinels> {
    const primary = await OwnRedis.start();
    const replica = await OwnRedis.start();
    await replica.command("REPLICAOF", "127.0.0.1", String(primary.port));
    await eventually(async () => (await replica.info("replication")).includes("master_link_status:up"));
    const ports = [await freePort(), await freePort(), await freePort()];
    const sentinels = new RedisSentinels([primary, replica], ports, primary.port);
    await sentinels.begin();
    return sentinels;
  }

  /** Starts the Sentinels. */
  async begin(): Promise<void> {
    this.#running = this.addresses.map(({ port }) =>
      spawn("redis-server", [this.#config(port), "--sentinel"], { stdio: "ignore" }),
    );
    await eventually(() => this.#haveMet());
  }

  /** Ends the Sentinels: until they begin again, no replica becomes the primary. */
  async end(): Promise<void> {
    const running = this.#running;
    this.#running = [];
    await Promise.all(
      running.map((sentinel) => {
        if (sentinel.exitCode !== null || sentinel.signalCode !== null) return undefined;
        sentinel.kill("SIGKILL");
        return once(sentinel, "exit");
      }),
    );
  }

  /** The node that the Sentinels have for the primary; undefined where they don't agree. */
  async primary(): Promise<OwnRedis | undefined> {
    const named = await Promise.all(
      this.addresses.map(({ port }) => ask(port, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", "shop")),
    );
    const ports = new Set(named.map((address) => Number((address as unknown[] | undefined)?.[1])));
    return ports.size === 1 ? this.nodes.find(({ port }) => ports.has(port)) : undefined;
  }

  async dispose(): Promise<void> {
    await this.end();
    await Promise.all(this.nodes.map((node) => node.dispose()));
    rmSync(this.#folder, { recursive: true });
  }

  #config(port: number): string {
    return join(this.#folder, `${port}.conf`);
  }

  /** Whether all of them know each other, and the replica. */
  async #haveMet(): Promise<boolean> {
    const seen = await Promise.all(this.addresses.map(({ port }) => ask(port, "INFO", "sentinel")));
    const all = `slaves=1,sentinels=${this.addresses.length}`;
    return seen.every((info) => String(info).includes(all));
  }
}

/**
 * A Sentinel that the machine kept waiting for over 2 s does nothing for 30 s (TILT). After that it takes no replica
 * that had lost its primary ten times as long as this ago: with 1 s, it would never fail over again. In milliseconds.
 */
const DOWN_AFTER_MS = 4_000;

const configOf = (port: number, primaryPort: number, folder: string) => `port ${port}
bind 127.0.0.1
dir ${folder}
sentinel monitor shop 127.0.0.1 ${primaryPort} 2
sentinel down-after-milliseconds shop ${DOWN_AFTER_MS}
sentinel failover-timeout shop 4000
`;

/** What a Sentinel returns; undefined where it doesn't answer. */
function ask(port: number, ...command: string[]): Promise<unknown> {
  return withRedis((client) => client.sendCommand(command), `redis://127.0.0.1:${port}`).catch(() => undefined);
}
