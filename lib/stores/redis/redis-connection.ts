import { createRequire } from "node:module";
import { SessionError } from "../../errors";
import { within } from "../../record/duration";
import { OwnContext } from "../own-context";
import type { Argument } from "./record-fields";
import { NO_CONNECTION } from "./redis-errors";
import type { RedisClient } from "./redis-options";

/** What is used of a client, whichever it is. */
export interface RedisConnection {
  /** Whether a command would be sent at once, and not wait in the client for a connection. */
  readonly isReady: boolean;
  /** Sends a command. `key` is one of its keys: it says to which node of a Cluster. Texts are returned as Buffers. */
  send(key: string, command: readonly Argument[]): Promise<unknown>;
  /**
   * Sends a command that has no key to the node of this key, on the connection that the last command with that key
   * took.
   */
  sendBeside(key: string, command: readonly Argument[]): Promise<unknown>;
  /** A call got no answer in time. */
  late(): void;
  /** Closes the client where it is ours. */
  close(): Promise<void>;
}

/** Sends commands with a client of the app's, or with one of its own for a URL. */
export function openConnection(client: RedisClient | undefined, url: string, timeoutMs: number): RedisConnection {
  if (client === undefined) return new OwnRedis(url, timeoutMs);
  // A client without a listener would end the process when it loses its connection; every call tells of that.
  const events = client as Partial<NodeJS.EventEmitter>;
  if (events.listenerCount?.("error") === 0) events.on?.("error", () => undefined);
  if ("callBuffer" in client) return new IoRedis(client as unknown as IoRedisClient);
  return new NodeRedis(client as unknown as NodeRedisClient, timeoutMs);
}

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
interface NodeRedisClient {
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

/** It writes the commands of one turn together by itself. */
class NodeRedis implements RedisConnection {
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

/** What is used of a client that is ours. */
interface OwnClient extends NodeRedisClient {
  on(event: "error", listener: () => void): unknown;
  connect(): Promise<unknown>;
  close(): Promise<void>;
  destroy(): void;
}

/** What a replica says to a write; Redis 6.2 says it inside the error of the script. */
const IS_READONLY = /(?:^|-)READONLY\b/;

/** A client of the package `redis` that connects at the first call. */
class OwnRedis extends NodeRedis {
  declare protected client: OwnClient;
  readonly #newClient: () => OwnClient;
  readonly #timeoutMs: number;
  #isAsked = false;
  /** When anything was last returned, by `performance.now()`. */
  #answeredAt = 0;

  /** `SESSION_CONFIG` where `redis` is not installed. */
  constructor(url: string, timeoutMs: number) {
    const redis = loadRedis();
    const newClient = () => {
      const client = redis.createClient({ url, socket: { connectTimeout: timeoutMs } });
      client.on("error", () => undefined);
      return client;
    };
    super(newClient(), timeoutMs);
    this.#newClient = newClient;
    this.#timeoutMs = timeoutMs;
  }

  override get isReady(): boolean {
    if (!this.#isAsked) {
      this.#isAsked = true;
      this.client.connect().catch(() => (this.#isAsked = false));
    }
    return super.isReady;
  }

  override async send(key: string, command: readonly Argument[]): Promise<unknown> {
    const { client } = this;
    try {
      const reply = await super.send(key, command);
      this.#answeredAt = performance.now();
      return reply;
    } catch (error) {
      this.#answeredAt = performance.now();
      // What was the primary is one no more; its name may lead to another one by now.
      if (error instanceof Error && IS_READONLY.test(error.message) && this.client === client) this.#renew();
      throw error;
    }
  }

  /** A line that is dead without a sign of it is made anew. */
  override late(): void {
    if (this.client.isReady === true && this.#answeredAt < performance.now() - this.#timeoutMs) this.#renew();
  }

  override async close(): Promise<void> {
    if (this.client.isOpen !== true) return;
    const closing = this.client.isReady === true ? this.client.close() : Promise.reject(new Error("not connected"));
    const destroy = () => this.#destroy();
    await within(this.#timeoutMs, closing, destroy).catch(destroy);
  }

  #destroy(): void {
    // It throws where the client is closed, or has just been.
    try {
      this.client.destroy();
    } catch {
      // Then there is nothing to do.
    }
  }

  #renew(): void {
    this.#destroy();
    this.client = this.#newClient();
    this.#isAsked = false;
  }
}

// Loaded here and not by an import, because only those who give a URL need it.
function loadRedis(): { createClient(options: object): OwnClient } {
  try {
    return createRequire(__filename)("redis") as { createClient(options: object): OwnClient };
  } catch (error) {
    throw new SessionError(
      "SESSION_CONFIG",
      "RedisStore needs the package redis (version 5 or 6) for a URL: run `npm install redis`, or give a client.",
      { cause: error },
    );
  }
}

/** `Redis` and `Cluster` of `ioredis`. */
interface IoRedisClient {
  readonly status: string;
  /** Absent before the first connection, and in a Cluster. */
  readonly stream?: { readonly writable: boolean };
  readonly isCluster?: boolean;
  connect(): Promise<unknown>;
  callBuffer(...command: readonly Argument[]): Promise<unknown>;
  pipeline(): { callBuffer(...command: readonly Argument[]): unknown; exec(): Promise<unknown> };
}

/** The error of each command of a pipeline, or what it returned. */
type Replies = readonly (readonly [error: unknown, reply?: unknown])[];

interface Waiting {
  readonly command: readonly Argument[];
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: unknown) => void;
}

class IoRedis implements RedisConnection {
  readonly #client: IoRedisClient;
  readonly #context = new OwnContext();
  /** What was asked for in this turn of the event loop. */
  #waiting: Waiting[] = [];

  constructor(client: IoRedisClient) {
    this.#client = client;
  }

  get isReady(): boolean {
    if (this.#client.status === "wait") this.#client.connect().catch(() => undefined);
    return this.#isConnected;
  }

  send(_key: string, command: readonly Argument[]): Promise<unknown> {
    // In a Cluster, a pipeline would have to be of one node.
    if (this.#client.isCluster === true) return this.#client.callBuffer(...command);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ command, resolve, reject });
      if (this.#waiting.length === 1) this.#context.run(() => setImmediate(() => void this.#sendAll()));
    });
  }

  async sendBeside(key: string, command: readonly Argument[]): Promise<unknown> {
    if (this.#client.isCluster !== true) return this.#client.callBuffer(...command);
    // A pipeline goes to the node of the keys that are in it.
    const pipeline = this.#client.pipeline();
    pipeline.callBuffer("exists", key);
    pipeline.callBuffer(...command);
    const [, [error, reply] = [new Error("no reply")]] = (await pipeline.exec()) as Replies;
    if (error === null || error === undefined) return reply;
    throw error as Error;
  }

  late(): void {
    // The app sees to its client.
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** The status is "ready" a moment longer than the line is open; what is sent then waits in the client. */
  get #isConnected(): boolean {
    const { status, stream } = this.#client;
    return status === "ready" && stream?.writable !== false;
  }

  async #sendAll(): Promise<void> {
    const sent = this.#waiting;
    this.#waiting = [];
    const [first] = sent;
    // It may have been lost within the turn; the client would send them whenever there is another one.
    if (!this.#isConnected) {
      for (const { reject } of sent) reject(new Error(NO_CONNECTION));
      return;
    }
    if (sent.length === 1 && first !== undefined) {
      this.#client.callBuffer(...first.command).then(first.resolve, first.reject);
      return;
    }
    const pipeline = this.#client.pipeline();
    for (const { command } of sent) pipeline.callBuffer(...command);
    try {
      const replies = (await pipeline.exec()) as Replies;
      for (const [index, { resolve, reject }] of sent.entries()) {
        const [error, reply] = replies[index] ?? [new Error("no reply")];
        if (error === null || error === undefined) resolve(reply);
        else reject(error);
      }
    } catch (error) {
      for (const { reject } of sent) reject(error);
    }
  }
}
