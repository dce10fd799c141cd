import { SessionError } from "../../errors";
import { within } from "../../record/duration";
import type { Argument } from "./record-fields";
import { isPassing } from "./redis-errors";

/** The version of the keys that this version of coatcheck writes and reads. */
const KEYS_VERSION = 1;
/** How often it is compared again, in milliseconds: somebody may have emptied Redis. */
const COMPARE_EVERY_MS = 60_000;
/** How soon after it could not be compared, in milliseconds. */
const RETRY_MS = 1_000;

/** Arguments: version, shards. Writes them down where nothing is, and returns what is there. */
const COMPARE = `
local there = redis.call('HMGET', KEYS[1], 'version', 'shards')
if there[1] and there[2] then return there end
redis.call('HSET', KEYS[1], 'version', ARGV[1], 'shards', ARGV[2])
return {ARGV[1], ARGV[2]}
`;

export interface LayoutSettings {
  readonly prefix: string;
  readonly shards: number;
  readonly timeoutMs: number;
  readonly send: (key: string, command: readonly Argument[]) => Promise<unknown>;
  /** By a clock that only goes forwards, in milliseconds. */
  readonly now?: () => number;
}

/**
 * What all processes that share a prefix must have in common: the version of the keys, and the number of shards. The
 * first process writes it down, each other one compares. Where Redis does not answer that, calls go on without it.
 */
export class SharedLayout {
  readonly #settings: LayoutSettings;
  readonly #key: string;
  readonly #now: () => number;
  #dueAt = -Infinity;
  /** Whether calls wait for the comparison: the first time, and as long as there is something to refuse. */
  #isWaitedFor = true;
  #comparing: Promise<void> | undefined;

  constructor(settings: LayoutSettings) {
    this.#settings = settings;
    this.#key = layoutKey(settings.prefix);
    this.#now = settings.now ?? (() => performance.now());
  }

  /**
   * What a call has to wait for before it is sent; nearly always nothing. It rejects with `SESSION_CONFIG` where others
   * have other shards, with `SESSION_STORE` where the keys are of a newer version, and with a refusal of Redis that
   * passes.
   */
  compared(): Promise<void> | undefined {
    if (this.#now() < this.#dueAt) return undefined;
    this.#comparing ??= this.#compare().finally(() => (this.#comparing = undefined));
    if (this.#isWaitedFor) return this.#comparing;
    // What it finds, later calls wait for.
    this.#comparing.catch(() => undefined);
    return undefined;
  }

  async #compare(): Promise<void> {
    const there = await this.#ask();
    const refusal = there === undefined ? undefined : this.#refusalOf(there);
    this.#isWaitedFor = refusal !== undefined;
    if (refusal !== undefined) {
      this.#dueAt = -Infinity;
      throw refusal;
    }
    this.#dueAt = this.#now() + (there === undefined ? RETRY_MS : COMPARE_EVERY_MS);
  }

  /** Undefined where Redis does not tell it. */
  async #ask(): Promise<Layout | undefined> {
    const { shards, timeoutMs, send } = this.#settings;
    const command = ["eval", COMPARE, "1", this.#key, String(KEYS_VERSION), String(shards)];
    try {
      const reply = await within(timeoutMs, send(this.#key, command), () => undefined);
      const [version = NaN, theirs = NaN] = Array.isArray(reply) ? reply.map(Number) : [];
      return Number.isNaN(version) || Number.isNaN(theirs) ? undefined : { version, shards: theirs };
    } catch (error) {
      if (isPassing(error)) throw error;
      return undefined;
    }
  }

  #refusalOf({ version, shards: theirs }: Layout): SessionError | undefined {
    const { prefix, shards } = this.#settings;
    if (version > KEYS_VERSION) {
      return new SessionError(
        "SESSION_STORE",
        `The keys of "${prefix}" in Redis have version ${version}, and this version of coatcheck knows ${KEYS_VERSION}; upgrade coatcheck.`,
      );
    }
    if (theirs === shards) return undefined;
    return new SessionError(
      "SESSION_CONFIG",
      `RedisStore was given shards: ${shards}, but the sessions of "${prefix}" in this Redis are in ${theirs}; ` +
        `write shards: ${theirs}, or ?shards=${theirs} in an address. To change it, stop all processes and delete the keys of "${prefix}", which signs everybody out.`,
    );
  }
}

interface Layout {
  readonly version: number;
  readonly shards: number;
}

/** The key in which it is written down, in a hash slot of its own. */
export function layoutKey(prefix: string): string {
  return `{${prefix}:layout}`;
}
