import { setTimeout as sleep } from "node:timers/promises";
import { SessionError } from "../../errors";
import { shownText } from "../../record/shown-text";
import type { Deadline } from "../conflicts";
import type { Argument } from "./record-fields";
import type { RedisConnection } from "./redis-connection";
import type { Script } from "./scripts";

/** How long to wait, in milliseconds, before a call is tried again, or is looked whether there is a connection. */
const PAUSE_MS = 25;
/** Refusals of a node that pass, and prove that nothing was done. */
const PASSING = /^(?:TRYAGAIN|CLUSTERDOWN|LOADING)\b/;

/**
 * Calls to Redis, each with a deadline. Nothing is sent while there is no connection: a client would keep it, and send
 * it long after its caller was told that it failed.
 */
export class RedisCalls implements Deadline {
  readonly #connection: RedisConnection;
  readonly #timeoutMs: number;
  #becomingReady: Promise<void> | undefined;

  constructor(connection: RedisConnection, timeoutMs: number) {
    this.#connection = connection;
    this.#timeoutMs = timeoutMs;
  }

  get latest(): number {
    return performance.now() - this.#timeoutMs;
  }

  assertInTime(call: string, askedAt: number): void {
    if (askedAt <= this.latest) throw this.#late(call);
  }

  /** Sends a command with this key. Rejects with `SESSION_STORE`, or `SESSION_STORE_TIMEOUT`. */
  command(call: string, key: string, command: readonly Argument[]): Promise<unknown> {
    return this.#inTime(call, () => this.#connection.send(key, command));
  }

  /** Runs a script. */
  run(call: string, script: Script, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
    const [key = ""] = keys;
    const rest = [String(keys.length), ...keys, ...args];
    return this.#inTime(call, () =>
      this.#connection.send(key, ["evalsha", script.sha, ...rest]).catch((error: unknown) => {
        // It was restarted, or is another one; the text makes the script known to it.
        if (!messageOf(error).startsWith("NOSCRIPT")) throw error;
        return this.#connection.send(key, ["eval", script.text, ...rest]);
      }),
    );
  }

  /** Closes the client where it is ours. */
  close(): Promise<void> {
    return this.#connection.close();
  }

  #inTime(call: string, send: () => Promise<unknown>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const end = performance.now() + this.#timeoutMs;
      const timer = setTimeout(() => reject(this.#late(call)), this.#timeoutMs);
      this.#attempt(send, end).then(
        (reply) => {
          clearTimeout(timer);
          resolve(reply);
        },
        (error: unknown) => {
          clearTimeout(timer);
          reject(failure(call, error));
        },
      );
    });
  }

  async #attempt(send: () => Promise<unknown>, end: number): Promise<unknown> {
    for (;;) {
      while (!this.#connection.isReady) {
        await this.#pause();
        if (performance.now() >= end) throw new Error("there is no connection");
      }
      try {
        return await send();
      } catch (error) {
        if (!PASSING.test(messageOf(error)) || performance.now() + PAUSE_MS >= end) throw error;
        await sleep(PAUSE_MS);
      }
    }
  }

  /** One timer for all that wait. */
  async #pause(): Promise<void> {
    this.#becomingReady ??= sleep(PAUSE_MS).finally(() => (this.#becomingReady = undefined));
    await this.#becomingReady;
  }

  #late(call: string): SessionError {
    if (!this.#connection.isReady) {
      return new SessionError(
        "SESSION_STORE",
        `Redis failed at ${call}: there was no connection for ${this.#timeoutMs} ms. Is it running, and is the client connected?`,
      );
    }
    return new SessionError("SESSION_STORE_TIMEOUT", `Redis did not answer ${call} within ${this.#timeoutMs} ms.`);
  }
}

/** The error of a client, without what it may hold: some have the command and its arguments. */
function failure(call: string, error: unknown): SessionError {
  if (error instanceof SessionError) return error;
  const reason = messageOf(error).replace(/,? with args[^]*/, "");
  return new SessionError("SESSION_STORE", `Redis failed at ${call}: ${shownText(reason)}.`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
