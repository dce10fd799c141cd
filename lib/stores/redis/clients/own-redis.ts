import { createRequire } from "node:module";
import { SessionError } from "../../../errors";
import { within } from "../../../record/duration";
import type { Argument } from "../record-fields";
import { NodeRedis } from "./node-redis";
import type { NodeRedisClient } from "./node-redis";

/** What is used of a client that is ours. */
interface OwnClient extends NodeRedisClient {
  on(event: "error" | "topology-change", listener: (about: never) => void): unknown;
  connect(): Promise<unknown>;
  close(): Promise<void>;
  destroy(): void;
}

/** What a replica says to a write; Redis 6.2 says it inside the error of the script. */
const IS_READONLY = /(?:^|-)READONLY\b/;

/** A client of the package `redis` that connects at the first call. */
export class OwnRedis extends NodeRedis {
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
      // The server is no longer the primary; its name may lead to the new one by now.
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
