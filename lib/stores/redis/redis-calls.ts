import { setTimeout as sleep } from "node:timers/promises";
import { SessionError } from "../../errors";
import { shownText } from "../../record/shown-text";
import type { Deadline } from "../conflicts";
import type { Argument } from "./record-fields";
import type { RedisConnection } from "./redis-connection";
import { DONE } from "./scripts";
import type { Script } from "./scripts";

/** How long to wait, in milliseconds, before a call is tried again, or is looked whether there is a connection. */
const PAUSE_MS = 25;
/** Refusals of a node that pass, and prove that nothing was done; `ioredis` tells of the last of several. */
const PASSING = /^(?:Too many Cluster redirections\. Last error: \w+: )?(?:TRYAGAIN|CLUSTERDOWN|LOADING|MOVED)\b/;

/**
 * Calls to Redis, each with a deadline. Nothing is sent while there is no connection: a client would keep it, and send
 * it long after its caller was told that it failed.
 */
export class RedisCalls implements Deadline {
  readonly #connection: RedisConnection;
  readonly #timeoutMs: number;
  readonly #replicas: number;
  #becomingReady: Promise<void> | undefined;

  /** `replicas` is how many have to have what was written. */
  constructor(connection: RedisConnection, timeoutMs: number, replicas: number) {
    this.#connection = connection;
    this.#replicas = replicas;
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

  /** Runs a script that writes where it answers `DONE`, and waits for the replicas. */
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
    // Half the time, so that there is some left to tell the caller.
    const wait = ["wait", String(this.#replicas), String(Math.ceil(this.#timeoutMs / 2))];
    const copies = Number(await this.ask(call, key, wait));
    if (copies >= this.#replicas) return;
    const had = `${copies} of ${this.#replicas} replicas had it in time`;
    throw new SessionError("SESSION_STORE", `Redis failed at ${call}: the primary has the change, and ${had}.`);
  }

  #inTime(call: string, send: () => Promise<unknown>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const end = performance.now() + this.#timeoutMs;
      const timer = setTimeout(() => {
        reject(this.#late(call));
        this.#connection.late();
      }, this.#timeoutMs);
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

/**
 * Warns where this Redis may delete any key when its memory is full: of an index, so that a kill misses a session (P2).
 * Where it doesn't tell, there is no warning. `key` is one of the store's: its node is asked.
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
    // Not every user of Redis may ask; a Redis that can't be reached is told of by the calls themselves.
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
