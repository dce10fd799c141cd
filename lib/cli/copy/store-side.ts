import { randomBytes } from "node:crypto";
import { SessionError } from "../../errors";
import { dictionary, GUEST_USER } from "../../record/session-record";
import type { EndedRecord, Ending, SessionRecord } from "../../record/session-record";
import type { SessionDelta } from "../../record/session-delta";
import type { FindQuery, SessionStore, UnreadableRecord } from "../../stores/store";

/** One of the two stores of a copy: its failures say which of them it is. */
export class StoreSide {
  /** `name` begins a sentence, and holds no password. */
  constructor(
    readonly name: string,
    readonly store: SessionStore,
  ) {}

  load(id: string): Promise<SessionRecord | undefined> {
    return this.#named(async () => this.store.load(id));
  }

  create(record: SessionRecord): Promise<void> {
    return this.#named(() => this.store.create(record));
  }

  mutate(id: string, change: (record: SessionRecord) => SessionDelta | undefined): Promise<SessionRecord | undefined> {
    return this.#named(() => this.store.mutate(id, change));
  }

  end(id: string, ending: Ending): Promise<boolean> {
    return this.#named(() => this.store.end(id, ending));
  }

  find(query: FindQuery): AsyncGenerator<SessionRecord | EndedRecord> {
    return this.#stream(() => this.store.find(query));
  }

  findUnreadable(): AsyncGenerator<UnreadableRecord> {
    return this.#stream(() => this.store.findUnreadable?.({}) ?? []);
  }

  /** How many live sessions it has. */
  async size(): Promise<number> {
    const tallies = await this.#named(() => this.store.tally(Date.now()));
    return tallies.reduce((sum, { live }) => sum + live, 0);
  }

  /**
   * Whether the other is the same store, however its address is spelled: what is created here is seen there. What is
   * created has expired already, and is taken away at once.
   */
  async isSameAs(other: StoreSide): Promise<boolean> {
    const probe = probeRecord(Date.now());
    await this.create(probe);
    try {
      return (await other.load(probe.id)) !== undefined;
    } finally {
      await this.end(probe.id, FORGOTTEN);
    }
  }

  async *#stream<T>(open: () => AsyncIterable<T> | Iterable<T>): AsyncGenerator<T> {
    try {
      yield* open();
    } catch (error) {
      throw this.#told(error);
    }
  }

  async #named<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw this.#told(error);
    }
  }

  #told(error: unknown): unknown {
    if (!(error instanceof SessionError)) return error;
    return new SessionError(error.code, `${this.name}: ${error.message}`, { cause: error });
  }
}

/** The ending of a probe: nothing is kept of it. */
export const FORGOTTEN: Ending = { endedAt: 0, reason: "closed", endedBy: null, purgeAt: 0 };
/** The scope of probes, by which the next run finds one that a killed process has left. */
export const PROBE_SCOPE = "coatcheck-copy";
/** How long a probe stays where the process is killed before it takes it away, in milliseconds. */
const PROBE_MS = 60_000;

function probeRecord(now: number): SessionRecord {
  const id = randomBytes(32).toString("base64url");
  return {
    ...{ v: 1, id, owner: GUEST_USER, project: "", scope: PROBE_SCOPE, remoteAddress: "", userAgent: "" },
    ...{ createdAt: now, lastSeenAt: now, idleMs: 0, endsAt: now, expiresAt: now, purgeAt: now + PROBE_MS },
    ...{ data: dictionary(), attributes: dictionary(), keys: dictionary(), pages: dictionary() },
    counters: dictionary(),
  };
}
