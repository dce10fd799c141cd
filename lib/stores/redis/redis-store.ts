import { randomBytes } from "node:crypto";
import { isExpired } from "../../record/expiry";
import { applyDelta } from "../../record/session-delta";
import type { SessionDelta } from "../../record/session-delta";
import type { EndedRecord, Ending, SessionRecord } from "../../record/session-record";
import { QueueById, untilSettled } from "../conflicts";
import { alreadyStored, closedError } from "../store";
import type { ClearProgress, FindQuery, SessionStore, SessionTally, UnreadableQuery, UnreadableRecord } from "../store";
import { deltaArguments, endingFields, groupNames, liveFields } from "./record-fields";
import type { Argument } from "./record-fields";
import { readLive } from "./record-reading";
import type { Versioned } from "./record-reading";
import { RedisCalls, warnOfEviction } from "./redis-calls";
import { openConnection } from "./clients/open-connection";
import { RedisKeys, textBytes } from "./redis-keys";
import { resolveRedisOptions } from "./redis-options";
import type { RedisStoreOptions } from "./redis-options";
import { clearRedis, findInRedis, findUnreadableInRedis, tallyRedis } from "./redis-queries";
import type { RedisData } from "./redis-queries";
import { CONFLICT, CREATE, DONE, END, REPLACE, UPDATE } from "./scripts";
import { SharedLayout } from "./shared-layout";

export type { RedisClient, RedisStoreOptions } from "./redis-options";

/**
 * Keeps sessions in Redis (6.2 or newer) or Valkey: a single node, behind Sentinel, or a Cluster. Needs a client of the
 * package `redis` or `ioredis`.
 */
export class RedisStore implements SessionStore {
  readonly #redis: RedisData;
  readonly #now: () => number;
  /** The changes of `mutate`. */
  readonly #changes = new QueueById();
  readonly #nonces = nonces();
  readonly #underWay = new Set<Promise<unknown>>();
  #isWatched = false;
  #closed: Promise<void> | undefined;

  /** `SESSION_CONFIG` where an option can't be used, or the package `redis` is not installed, which a URL needs. */
  constructor(options: RedisStoreOptions = {}) {
    const { client, url = "", prefix, shards, replicas, timeoutMs, now } = resolveRedisOptions(options);
    this.#now = now;
    const connection = openConnection(client, url, timeoutMs);
    const send = (key: string, command: readonly Argument[]) => connection.send(key, command);
    const layout = new SharedLayout({ prefix, shards, timeoutMs, send });
    const calls = new RedisCalls(connection, layout, { timeoutMs, replicas });
    this.#redis = { calls, keys: new RedisKeys(prefix, shards) };
  }

  /** What is in one script has to be in one shard. */
  isPlacedWith(id: string, oldId: string): boolean {
    const { keys } = this.#redis;
    return keys.shardOf(id) === keys.shardOf(oldId);
  }

  load(id: string): Promise<SessionRecord | undefined> {
    return this.#run(() => this.#load(id).then((found) => found?.record));
  }

  create(record: SessionRecord): Promise<void> {
    return this.#run(async () => {
      const args = [record.id, this.#nonces(), ...createArguments(record)];
      const answer = await this.#script("create", CREATE, [record.id], args);
      if (answer !== DONE) throw alreadyStored(record.id);
    });
  }

  update(id: string, delta: SessionDelta): Promise<boolean> {
    return this.#run(async () => (await this.#write("update", id, "", delta)) === DONE);
  }

  mutate(id: string, change: (record: SessionRecord) => SessionDelta | undefined): Promise<SessionRecord | undefined> {
    const asked = performance.now();
    const attempts = () =>
      untilSettled(id, asked, this.#redis.calls, async () => {
        const found = await this.#load(id);
        if (found === undefined || isExpired(found.record, this.#now())) return undefined;
        const delta = change(found.record);
        if (delta === undefined) return found.record;
        const answer = await this.#write("mutate", id, found.version, delta);
        if (answer === CONFLICT) return "conflict";
        return answer === DONE ? applyDelta(found.record, delta) : undefined;
      });
    // Those of this process wait for each other, so that none is made in vain.
    return this.#run(() => this.#changes.add(id, attempts));
  }

  replace(oldId: string, ending: Ending, record: SessionRecord): Promise<boolean> {
    return this.#run(async () => {
      // A logout needs hardly more memory than it frees, and has to succeed.
      const evenWhereFull = ending.reason === "logout" ? "full" : "";
      const successor = [record.id, evenWhereFull, ...createArguments(record)];
      const args = [oldId, this.#nonces(), ...endArguments(ending), ...successor];
      const answer = await this.#script("replace", REPLACE, [oldId, record.id], args);
      if (answer === CONFLICT) throw alreadyStored(record.id);
      return answer === DONE;
    });
  }

  end(id: string, ending: Ending): Promise<boolean> {
    return this.#run(async () => {
      const args = [id, this.#nonces(), ...endArguments(ending)];
      return (await this.#script("end", END, [id], args)) === DONE;
    });
  }

  find(query: FindQuery): AsyncGenerator<SessionRecord | EndedRecord> {
    return this.#stream(findInRedis(this.#redis, query));
  }

  findUnreadable(query: UnreadableQuery): AsyncGenerator<UnreadableRecord> {
    return this.#stream(findUnreadableInRedis(this.#redis, query));
  }

  tally(now: number): Promise<readonly SessionTally[]> {
    return this.#run(() => tallyRedis(this.#redis, now));
  }

  clear(now: number, onProgress?: ClearProgress): Promise<number> {
    return this.#run(() => clearRedis(this.#redis, now, onProgress));
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#underWay);
    await this.#redis.calls.close();
  }

  async #load(id: string): Promise<Versioned | undefined> {
    const key = this.#redis.keys.record("s", id);
    return readLive(id, await this.#redis.calls.command("load", key, ["HGETALL", key]));
  }

  #write(call: string, id: string, version: string, delta: SessionDelta): Promise<unknown> {
    const { calls, keys } = this.#redis;
    const { owner, expiresAt, purgeAt } = delta;
    const newOwner = owner === undefined ? "" : Buffer.concat([Buffer.from("="), Buffer.from(textBytes(owner))]);
    const moved = [newOwner, String(expiresAt ?? ""), String(purgeAt ?? "")];
    const args = [id, this.#nonces(), version, ...moved, ...deltaArguments(delta)];
    return calls.write(call, UPDATE, keys.ofLive(id), args);
  }

  #script(call: string, script: typeof END, ids: readonly string[], args: readonly Argument[]): Promise<unknown> {
    const { calls, keys } = this.#redis;
    return calls.write(
      call,
      script,
      ids.flatMap((id) => keys.ofSession(id)),
      args,
    );
  }

  async *#stream<T>(batches: AsyncGenerator<readonly T[]>): AsyncGenerator<T> {
    for (;;) {
      const batch = await this.#run(() => batches.next());
      if (batch.done === true) return;
      yield* batch.value;
    }
  }

  async #run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed !== undefined) throw closedError("RedisStore");
    if (!this.#isWatched) {
      this.#isWatched = true;
      const { calls, keys } = this.#redis;
      void warnOfEviction(calls, keys.record("s", ""));
    }
    const running = work();
    this.#underWay.add(running);
    try {
      return await running;
    } finally {
      this.#underWay.delete(running);
    }
  }
}

function createArguments(record: SessionRecord): Argument[] {
  const fields = liveFields(record);
  const { owner, expiresAt, purgeAt } = record;
  return [
    ...[textBytes(owner), groupNames(record), String(expiresAt), String(purgeAt)],
    ...[String(fields.length), ...fields],
  ];
}

function endArguments(ending: Ending): Argument[] {
  const fields = endingFields(ending);
  const keptUntil = ending.purgeAt > ending.endedAt ? String(ending.purgeAt) : "";
  return [keptUntil, String(fields.length), ...fields];
}

/** Texts that no write of any process had before. */
function nonces(): () => string {
  const process = randomBytes(9).toString("base64url");
  let count = 0;
  return () => `${process}${(count += 1).toString(36)}`;
}
