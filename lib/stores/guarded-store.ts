import { SessionError } from "../errors";
import type { SessionDelta } from "../record/session-delta";
import type { EndedRecord, Ending, SessionRecord } from "../record/session-record";
import type { ClearProgress, FindQuery, SessionStore } from "./store";

export interface GuardOptions {
  /** How long one store operation may take, in milliseconds. */
  readonly timeoutMs: number;
  /** The clock: milliseconds since the epoch. */
  readonly now: () => number;
}

/**
 * A store as the rest of the library uses it: every operation is answered within the time limit, every failure is a SessionError
 * with the store's own error as its `cause`, and `close` waits for what is under way. (P7)
 */
export class GuardedStore {
  readonly #store: SessionStore;
  readonly #timeoutMs: number;
  readonly #now: () => number;
  readonly #underWay = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  constructor(store: SessionStore, { timeoutMs, now }: GuardOptions) {
    this.#store = store;
    this.#timeoutMs = timeoutMs;
    this.#now = now;
  }

  load(id: string): SessionRecord | undefined | Promise<SessionRecord | undefined> {
    this.#assertOpen();
    let answer;
    try {
      answer = this.#store.load(id);
    } catch (error) {
      throw storeError("load", error);
    }
    return answer instanceof Promise ? this.#guard("load", answer) : answer;
  }

  create(record: SessionRecord): Promise<void> {
    return this.#run("create", () => this.#store.create(record));
  }

  /**
   * Writes a change of the session that was loaded as `record`; false where it is over. A write that could land after
   * its end goes through `mutate`, which checks the expiry in the same step. (P2, P8)
   */
  async write(record: SessionRecord, delta: SessionDelta): Promise<boolean> {
    if (this.#now() < record.expiresAt - 2 * this.#timeoutMs) {
      return this.#run("update", () => this.#store.update(record.id, delta));
    }
    return (await this.mutate(record.id, () => delta)) !== undefined;
  }

  async mutate(
    id: string,
    change: (record: SessionRecord) => SessionDelta | undefined,
  ): Promise<SessionRecord | undefined> {
    let refusal: { readonly error: unknown } | undefined;
    const noted = (record: SessionRecord) => {
      try {
        return change(record);
      } catch (error) {
        refusal = { error };
        throw error;
      }
    };
    try {
      return await this.#run("mutate", () => this.#store.mutate(id, noted));
    } catch (error) {
      // What `change` threw is the app's own, and not a failure of the store.
      if (refusal !== undefined && (error === refusal.error || causeOf(error) === refusal.error)) throw refusal.error;
      throw error;
    }
  }

  replace(oldId: string, ending: Ending, record: SessionRecord): Promise<boolean> {
    return this.#run("replace", () => this.#store.replace(oldId, ending, record));
  }

  end(id: string, ending: Ending): Promise<boolean> {
    return this.#run("end", () => this.#store.end(id, ending));
  }

  /** Streams; the time limit holds for each step. */
  async *find(query: FindQuery): AsyncGenerator<SessionRecord | EndedRecord> {
    this.#assertOpen();
    const records = this.#store.find(query)[Symbol.asyncIterator]();
    try {
      for (;;) {
        const step = await this.#run("find", () => records.next());
        if (step.done === true) return;
        yield step.value;
      }
    } finally {
      await records.return?.();
    }
  }

  /** Takes as long as it takes. */
  async clear(now: number, onProgress?: ClearProgress): Promise<number> {
    this.#assertOpen();
    return this.#track(this.#store.clear(now, onProgress)).catch((error: unknown) => {
      throw storeError("clear", error);
    });
  }

  /** Waits for what is under way, then closes the store. */
  close(): Promise<void> {
    this.#closing ??= Promise.allSettled(this.#underWay).then(() => this.#store.close());
    return this.#closing;
  }

  async #run<T>(operation: string, start: () => Promise<T>): Promise<T> {
    this.#assertOpen();
    return this.#guard(operation, start());
  }

  #guard<T>(operation: string, answer: Promise<T>): Promise<T> {
    void this.#track(answer);
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(
          new SessionError(
            "SESSION_STORE_TIMEOUT",
            `The session store did not answer "${operation}" within ${this.#timeoutMs} ms (storeTimeout).`,
          ),
        );
      }, this.#timeoutMs);
      answer.then(
        (value) => {
          clearTimeout(timer);
          resolve(value);
        },
        (error: unknown) => {
          clearTimeout(timer);
          reject(storeError(operation, error));
        },
      );
    });
  }

  #track<T>(answer: Promise<T>): Promise<T> {
    this.#underWay.add(answer);
    const done = () => this.#underWay.delete(answer);
    answer.then(done, done);
    return answer;
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw new SessionError("SESSION_CLOSED", "These Sessions were closed.");
  }
}

function storeError(operation: string, error: unknown): Error {
  if (error instanceof SessionError) return error;
  return new SessionError("SESSION_STORE", `The session store failed at "${operation}".`, { cause: error });
}

function causeOf(error: unknown): unknown {
  return error instanceof Error ? error.cause : undefined;
}
