import { setTimeout as sleep } from "node:timers/promises";
import { SessionError } from "../../errors";
import type { TimeLimit } from "../conflicts";
import { DeadlineQueue } from "../deadline-queue";
import type { Argument } from "./record-fields";
import type { RedisConnection } from "./clients/redis-connection";
import { isPassing, isUnknownScript, redisError } from "./redis-errors";
import { DONE } from "./scripts";
import type { Script } from "./scripts";
import type { SharedLayout } from "./shared-layout";

/** How long to wait, in milliseconds, before a call is tried again, or the connection is looked at again. */
const PAUSE_MS = 25;

export interface CallSettings {
  readonly timeoutMs: number;
  /** How many replicas must have what was written. */
  readonly replicas: number;
}

/**
 * Calls to Redis, each with a deadline. Nothing is sent while there is no connection: a client would keep it, and send
 * it long after its caller was told that it failed.
 */
export class RedisCalls implements TimeLimit {
  readonly #connection: RedisConnection;
  readonly #layout: SharedLayout;
  readonly #timeoutMs: number;
  readonly #replicas: number;
  readonly #deadlines: DeadlineQueue;
  #becomingReady: Promise<void> | undefined;

  constructor(connection: RedisConnection, layout: SharedLayout, { timeoutMs, replicas }: CallSettings) {
    this.#connection = connection;
    this.#layout = layout;
    this.#replicas = replicas;
    this.#timeoutMs = timeoutMs;
    this.#deadlines = new DeadlineQueue(timeoutMs);
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
    const command = ["evalsha", script.sha, String(keys.length), ...keys, ...args];
    return this.#inTime(call, () =>
      this.#connection.send(key, command).catch((error: unknown) => {
        // The text makes the script known to it.
        if (!isUnknownScript(error)) throw error;
        return this.#connection.send(key, ["eval", script.text, ...command.slice(2)]);
      }),
    );
  }

  /** Runs a script that writes where it returns `DONE`, and waits for the replicas. */
  async write(call: string, script: Script, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
    const answer = await this.run(call, script, keys, args);
    if (this.#replicas > 0 && answer === DONE) await this.#copied(call, keys[0] ?? "");
    return answer;
  }

  /** Asks the node of this key for something about itself. */
  ask(call: string, key: string, command: readonly Argument[]): Promise<unknown> {
    return this.#inTime(call, () => this.#connection.sendBeside(key, command));
  }

  /** Closes the client where it is ours. */
  close(): Promise<void> {
    return this.#connection.close();
  }

  async #copied(call: string, key: string): Promise<void> {
    const { line } = this.#connection;
    // Half the time, so that there is some left to tell the caller.
    const wait = ["wait", String(this.#replicas), String(Math.ceil(this.#timeoutMs / 2))];
    const copies = Number(await this.ask(call, key, wait));
    // Some clients send it again to the primary that they find next, which may never have had the change.
    if (this.#connection.line !== line) {
      const lost = "the connection was lost before the replicas had the change";
      throw new SessionError("SESSION_STORE", `Redis failed at ${call}: ${lost}.`);
    }
    if (copies >= this.#replicas) return;
    const had = `${copies} of ${this.#replicas} replicas had it in time`;
    throw new SessionError("SESSION_STORE", `Redis failed at ${call}: the primary has the change, and ${had}.`);
  }

  #inTime(call: string, send: () => Promise<unknown>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const deadline = this.#deadlines.add(() => {
        reject(this.#late(call));
        this.#connection.late();
      });
      this.#attempt(send, deadline.at).then(
        (reply) => {
          this.#deadlines.meet(deadline);
          resolve(reply);
        },
        (error: unknown) => {
          this.#deadlines.meet(deadline);
          reject(redisError(call, error));
        },
      );
    });
  }

  async #attempt(send: () => Promise<unknown>, end: number): Promise<unknown> {
    for (;;) {
      try {
        const needed = this.#needed();
        if (needed === undefined) return await send();
        await needed;
      } catch (error) {
        if (!isPassing(error) || performance.now() + PAUSE_MS >= end) throw error;
        await sleep(PAUSE_MS);
      }
      if (performance.now() >= end) throw new Error("its time was over");
    }
  }

  /** What to wait for before anything may be sent. */
  #needed(): Promise<void> | undefined {
    return this.#connection.isReady ? this.#layout.compared() : this.#pause();
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

/**
 * Warns where this Redis may delete any key when its memory is full: of an index, so that a kill misses a session (P2).
 * Where it doesn't say, there is no warning. `key` is one of the store's: its node is asked.
 */
export async function warnOfEviction(calls: RedisCalls, key: string): Promise<void> {
  try {
    const info = String(await calls.ask("info", key, ["info", "memory"]));
    const policy = /^maxmemory_policy:(allkeys-[\w-]+)/m.exec(info)?.[1];
    if (policy === undefined || /^maxmemory:0\b/m.test(info)) return;
    process.emitWarning(
      `Redis deletes any key when its memory is full (maxmemory-policy ${policy}), so sessions get lost, and killing a user's sessions may miss some. ` +
        "Set maxmemory-policy to noeviction.",
      "CoatcheckWarning",
    );
  } catch {
    // Not every user of Redis may ask. The calls themselves report a Redis that can't be reached.
  }
}
