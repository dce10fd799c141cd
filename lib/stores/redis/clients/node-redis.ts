import type { Argument } from "../record-fields";
import type { RedisConnection } from "./redis-connection";

/** The commands that one node of a Cluster is sent together. */
interface NodeRedisPipeline {
  addCommand(key: string, isReadonly: boolean, command: readonly Argument[]): NodeRedisPipeline;
  execAsPipeline(): Promise<readonly unknown[]>;
}

interface SendOptions {
  readonly typeMapping: object;
  readonly abortSignal?: AbortSignal;
}

/** The clients of `redis`: all have `sendCommand`, a Cluster with a key before the command, a Sentinel without one. */
export interface NodeRedisClient {
  readonly isOpen?: boolean;
  readonly isReady?: boolean;
  /** Only a Cluster has this. */
  readonly nodeByAddress?: unknown;
  multi?(routing: string): NodeRedisPipeline;
  /** Only a Sentinel has this. */
  readonly getMasterNode?: unknown;
  readonly getSentinelNode?: unknown;
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

  constructor(client: NodeRedisClient, timeoutMs: number) {
    this.client = client;
    this.#timeoutMs = timeoutMs;
  }

  get isReady(): boolean {
    return this.client.isReady ?? this.client.isOpen ?? true;
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
    if (client.nodeByAddress === undefined || client.multi === undefined) return this.send(key, command);
    // Redis 6 of the package sends what has no key to all nodes; a pipeline goes to the one of its key.
    const [reply] = await client.multi(key).addCommand(key, false, command).execAsPipeline();
    return reply;
  }

  late(): void {
    // The app sees to its client.
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
