import { OwnContext } from "../../own-context";
import type { Argument } from "../record-fields";
import { NO_CONNECTION } from "../redis-errors";
import type { RedisConnection } from "./redis-connection";

/** `Redis` and `Cluster` of `ioredis`. */
export interface IoRedisClient {
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

/** A client of the package `ioredis`, which is sent the calls of one turn as one pipeline. */
export class IoRedis implements RedisConnection {
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

  get line(): unknown {
    return this.#client.stream;
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
    // The app looks after its client.
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
