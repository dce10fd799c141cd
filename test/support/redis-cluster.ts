import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { Cluster } from "ioredis";
import { Cluster as Cluster6 } from "ioredis6";
import { createCluster } from "redis";
import { createCluster as createCluster6 } from "redis6";
import { eventually } from "./eventually";
import { OwnRedis } from "./own-redis";
import { ioRedis, nodeRedis } from "./redis-server";
import type { GivenClient } from "./redis-server";

/** How long the nodes may take to agree, in milliseconds. */
const AGREE_MS = 60_000;

/** A Redis Cluster of the test's own: three primaries, each with a replica. */
export class RedisCluster {
  readonly nodes: readonly OwnRedis[];

  private constructor(nodes: readonly OwnRedis[]) {
    this.nodes = nodes;
  }

  static async start(): Promise<RedisCluster> {
    // A replica takes over however long it has been alone: by default not after ten times the node timeout, which a busy
    // machine may take.
    const options = [
      ...["--cluster-enabled", "yes", "--cluster-node-timeout", "1500"],
      ...["--cluster-replica-validity-factor", "0"],
    ];
    const nodes = await Promise.all(Array.from({ length: 6 }, () => OwnRedis.start(...options)));
    const cluster = new RedisCluster(nodes);
    await cluster.cli(
      "create",
      ...nodes.map(({ port }) => `127.0.0.1:${port}`),
      "--cluster-replicas",
      "1",
      "--cluster-yes",
    );
    await cluster.agrees();
    return cluster;
  }

  /** Runs `redis-cli --cluster …`. Rejects with what it printed. */
  async cli(...args: string[]): Promise<void> {
    await promisify(execFile)("redis-cli", ["--cluster", ...args], { maxBuffer: Infinity });
  }

  /** The node of a line of `view`. */
  nodeOf(line: readonly string[] | undefined): OwnRedis {
    const port = Number(/:(\d+)@/.exec(line?.[1] ?? "")?.[1]);
    const node = this.nodes.find((each) => each.port === port);
    if (node === undefined) throw new Error(`No node has the port ${port}.`);
    return node;
  }

  /** The lines of `CLUSTER NODES` as the first node sees them, each with its parts. */
  async view(): Promise<string[][]> {
    let text = "";
    // A node that has just become a replica may still load what its primary has sent.
    await eventually(async () => (text = (await this.nodes[0]?.reply("CLUSTER", "NODES")) ?? "").includes("myself"));
    return text
      .trim()
      .split("\n")
      .map((line) => line.split(" "));
  }

  /** Resolves when every node that runs sees all slots served, and every replica its primary. */
  async agrees(nodes: readonly OwnRedis[] = this.nodes): Promise<void> {
    const until = Date.now() + AGREE_MS;
    for (const node of nodes) {
      while (!(await node.reply("CLUSTER", "INFO")).includes("cluster_state:ok")) {
        if (Date.now() > until) throw new Error("The Cluster did not come to agree.");
        await sleep(100);
      }
    }
  }

  async dispose(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.dispose()));
  }
}

/** Clients of a Cluster: all of those that the store takes. */
export const clusterClients: readonly {
  readonly name: string;
  readonly connect: (nodes: readonly OwnRedis[]) => Promise<GivenClient>;
}[] = [
  { name: "redis 5", connect: (nodes) => nodeRedis(createCluster({ rootNodes: urlsOf(nodes) })) },
  { name: "redis 6", connect: (nodes) => nodeRedis(createCluster6({ rootNodes: urlsOf(nodes) })) },
  // As docs/redis.md has it, and with the client's defaults.
  { name: "ioredis 5", connect: (nodes) => ioRedis(new Cluster(addressesOf(nodes), { enableOfflineQueue: false })) },
  { name: "ioredis 6", connect: (nodes) => ioRedis(new Cluster6(addressesOf(nodes))) },
];

function urlsOf(nodes: readonly OwnRedis[]) {
  return nodes.map(({ url }) => ({ url }));
}

function addressesOf(nodes: readonly OwnRedis[]) {
  return nodes.map(({ port }) => ({ host: "127.0.0.1", port }));
}
