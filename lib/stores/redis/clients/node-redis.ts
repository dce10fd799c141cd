import type { Argument } from "../record-fields";
import type { RedisConnection } from "./redis-connection";

/** Commands that one node is sent together, on one connection. */
interface Pipeline {
  execAsPipeline(): Promise<readonly unknown[]>;
}

interface SentinelPipeline extends Pipeline {
  addCommand(isReadonly: boolean, command: readonly Argument[]): SentinelPipeline;
}

interface ClusterPipeline extends Pipeline {
  addCommand(key: string, isReadonly: boolean, command: readonly Argument[]): ClusterPipeline;
}

interface SendOptions {
  readonly typeMapping: object;
  readonly abortSignal?: AbortSignal;
}

/** Of a Sentinel: it connects to another node, or to the same one anew. */
interface TopologyChange {
  readonly type: string;
}

/** The clients of `redis`: all have `sendCommand`, a Cluster with a key before the command, a Sentinel without one. */
export interface NodeRedisClient {
  readonly isOpen?: boolean;
  readonly isReady?: boolean;
  /** How many connections it has had; a Cluster and a Sentinel have many at once, and don't say. */
  readonly socketEpoch?: number;
  /** Only a Cluster has this. */
  readonly nodeByAddress?: unknown;
  multi?(): SentinelPipeline;
  multi?(routing: string): ClusterPipeline;
  /** Only a Sentinel has this. */
  readonly getMasterNode?: unknown;
  readonly getSentinelNode?: unknown;
  on?(event: "topology-change", listener: (change: TopologyChange) => void): unknown;
  off?(event: "topology-change", listener: (change: TopologyChange) => void): unknown;
  sendCommand(command: readonly Argument[], options: SendOptions): Promise<unknown>;
  sendCommand(isReadonly: boolean, command: readonly Argument[], options: SendOptions): Promise<unknown>;
  sendCommand(key: string, isReadonly: boolean, command: readonly Argument[], options: SendOptions): Promise<unknown>;
}

/** By the types of RESP, `$` and `%`: texts as Buffers, and maps as rows of fields and values. */
const AS_BUFFERS: SendOptions = { typeMapping: { 36: Buffer, 37: Array } };

/** A client of the package `redis`. It writes the commands of one turn together by itself. */
export class NodeRedis implements RedisConnection {
  protected client: NodeRedisClient;
  readonly #timeoutMs: number;
  /** How often a Sentinel's client has connected to a primary. */
  #primaries = 0;
  readonly #noteChange = ({ type }: TopologyChange): void => {
    if (type === "MASTER_CHANGE") this.#primaries += 1;
  };

  constructor(client: NodeRedisClient, timeoutMs: number) {
    this.client = client;
    this.#timeoutMs = timeoutMs;
    if (client.getSentinelNode !== undefined) client.on?.("topology-change", this.#noteChange);
  }

  get isReady(): boolean {
    return this.client.isReady ?? this.client.isOpen ?? true;
  }

  get line(): unknown {
    return this.client.getSentinelNode === undefined ? this.client.socketEpoch : this.#primaries;
  }

  send(key: string, command: readonly Argument[]): Promise<unknown> {
    const { client } = this;
    // A Cluster and a Sentinel keep commands for later while they look for a node.
    const inTime = () => ({ ...AS_BUFFERS, abortSignal: AbortSignal.timeout(this.#timeoutMs) });
    if (client.nodeByAddress !== undefined) return client.sendCommand(key, false, command, inTime());
    if (client.getSentinelNode !== undefined) return client.sendCommand(false, command, inTime());
    return client.sendCommand(command, AS_BUFFERS);
  }

  async sendBeside(key: string, command: readonly Argument[]): Promise<unknown> {
    const { client } = this;
    // `WAIT` is about all that was written when its connection took a command last. A new connection has taken none.
    const first = ["exists", key];
    if (client.nodeByAddress !== undefined && client.multi !== undefined) {
      // Redis 6 of the package sends what has no key to all nodes; a pipeline goes to the one of its key.
      const pipeline = client.multi(key).addCommand(key, false, first).addCommand(key, false, command);
      const [, reply] = await pipeline.execAsPipeline();
      return reply;
    }
    if (client.getSentinelNode !== undefined && client.multi !== undefined) {
      const [, reply] = await client.multi().addCommand(false, first).addCommand(false, command).execAsPipeline();
      return reply;
    }
    return this.send(key, command);
  }

  late(): void {
    // The app looks after its client.
  }

  close(): Promise<void> {
    if (this.client.getSentinelNode !== undefined) this.client.off?.("topology-change", this.#noteChange);
    return Promise.resolve();
  }
}
