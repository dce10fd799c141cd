import { SessionError } from "../../errors";
import { hasExpired, sweeping } from "../../record/attribute-expiry";
import type { SessionDelta } from "../../record/session-delta";
import { groupOf } from "../../record/session-group";
import type { EndedRecord, Ending, SessionRecord } from "../../record/session-record";
import { DeadlineQueue } from "./deadline-queue";
import type { Deadline } from "./deadline-queue";
import type { ClearProgress, FindQuery, SessionStore, SessionTally, UnreadableQuery, UnreadableRecord } from "../store";

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
  readonly #deadlines: DeadlineQueue;
  /** How many operations the store has not answered yet, in time or not. */
  #underWay = 0;
  #whenIdle: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  constructor(store: SessionStore, { timeoutMs, now }: GuardOptions) {
    this.#store = store;
    this.#timeoutMs = timeoutMs;
    this.#now = now;
    this.#deadlines = new DeadlineQueue(timeoutMs);
  }

  load(id: string): SessionRecord | undefined | Promise<SessionRecord | undefined> {
    this.#assertOpen();
    const answer = started("load", () => this.#store.load(id));
    if (!isPromise(answer)) return answer;
    const promised = answer;
    return new Promise((resolve, reject) => this.#guard("load", promised, resolve, reject));
  }

  create(record: SessionRecord): Promise<void> {
    return this.#run("create", () => this.#store.create(record));
  }

  /**
   * Writes a change of the session that was loaded as `record`; false where it is over. A write that could land after
   * its end goes through `mutate`, which checks the expiry in the same step. (P2, P8) So does one of a record with expired
   * attributes, which go with it: only by the record as it is in that step can they be told from what is created anew.
   */
  write(record: SessionRecord, change: SessionDelta): Promise<boolean> {
    const delta = change.expiresAt === undefined ? change : { ...change, group: groupOf(record) };
    const now = this.#now();
    if (now < record.expiresAt - 2 * this.#timeoutMs && !hasExpired(record.attributes, now)) {
      return this.#run("update", () => this.#store.update(record.id, delta));
    }
    return this.mutate(record.id, () => delta).then((after) => after !== undefined);
  }

  /** Also removes what has expired in the record, with whatever else is written. */
  async mutate(
    id: string,
    change: (record: SessionRecord) => SessionDelta | undefined,
  ): Promise<SessionRecord | undefined> {
    let refusal: { readonly error: unknown } | undefined;
    const noted = (record: SessionRecord) => {
      try {
        const delta = change(record);
        return delta === undefined ? undefined : sweeping(record, delta, this.#now());
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
  find(query: FindQuery): AsyncGenerator<SessionRecord | EndedRecord> {
    return this.#stream("find", () => this.#store.find(query));
  }

  /** The same for the records that can't be read. */
  async *findUnreadable(query: UnreadableQuery): AsyncGenerator<UnreadableRecord> {
    const store = this.#store;
    if (hasUnreadable(store)) yield* this.#stream("findUnreadable", () => store.findUnreadable(query));
  }

  tally(now: number): Promise<readonly SessionTally[]> {
    return this.#run("tally", () => this.#store.tally(now));
  }

  /** Takes as long as it takes. */
  async clear(now: number, onProgress?: ClearProgress): Promise<number> {
    this.#assertOpen();
    this.#underWay += 1;
    try {
      return await this.#store.clear(now, onProgress);
    } catch (error) {
      throw storeError("clear", error);
    } finally {
      this.#answered(undefined);
    }
  }

  /** Waits for what is under way, for as long as an operation may take, then closes the store. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#idle();
    await new Promise<void>((resolve, reject) => {
      this.#guard(
        "close",
        started("close", () => this.#store.close()),
        resolve,
        reject,
      );
    });
  }

  async *#stream<T>(operation: string, start: () => AsyncIterable<T>): AsyncGenerator<T> {
    this.#assertOpen();
    const records = started(operation, () => start()[Symbol.asyncIterator]());
    let isWaiting = false;
    try {
      for (;;) {
        isWaiting = true;
        const step = await this.#run(operation, () => records.next());
        isWaiting = false;
        if (step.done === true) return;
        yield step.value;
      }
    } finally {
      const letGo = records.return?.();
      // After a step that failed the caller has its error already, and behind one that hangs this would hang too.
      if (isWaiting) letGo?.catch(() => undefined);
      else await letGo;
    }
  }

  #run<T>(operation: string, start: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#assertOpen();
      this.#guard(operation, started(operation, start), resolve, reject);
    });
  }

  /** Hands the answer on, or the end of the time limit, whichever comes first. */
  #guard<T>(
    operation: string,
    answer: Promise<T>,
    resolve: (value: T) => void,
    reject: (error: unknown) => void,
  ): void {
    const deadline = this.#deadlines.add(() => reject(this.#timeout(operation)));
    this.#underWay += 1;
    answer.then(
      (value) => {
        this.#answered(deadline);
        resolve(value);
      },
      (error: unknown) => {
        this.#answered(deadline);
        reject(storeError(operation, error));
      },
    );
  }

  #answered(deadline: Deadline | undefined): void {
    if (deadline !== undefined) this.#deadlines.meet(deadline);
    this.#underWay -= 1;
    if (this.#underWay === 0) this.#whenIdle?.();
  }

  #idle(): Promise<void> {
    if (this.#underWay === 0) return Promise.resolve();
    return new Promise((resolve) => {
      // What has not answered by then has failed by its own deadline, and may never answer.
      const deadline = this.#deadlines.add(resolve);
      this.#whenIdle = () => {
        this.#deadlines.meet(deadline);
        resolve();
      };
    });
  }

  #timeout(operation: string): SessionError {
    return new SessionError(
      "SESSION_STORE_TIMEOUT",
      `The session store did not answer "${operation}" within ${this.#timeoutMs} ms (storeTimeout).`,
    );
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw new SessionError("SESSION_CLOSED", "These Sessions were closed.");
  }
}

function hasUnreadable(store: SessionStore): store is SessionStore & Required<Pick<SessionStore, "findUnreadable">> {
  return store.findUnreadable !== undefined;
}

/** A store may also throw where it should reject. */
function started<T>(operation: string, start: () => T): T {
  try {
    return start();
  } catch (error) {
    throw storeError(operation, error);
  }
}

/** Also one of a class, or of a realm, that is not ours. */
function isPromise<T extends object>(answer: T | undefined | Promise<T | undefined>): answer is Promise<T | undefined> {
  return answer !== undefined && "then" in answer;
}

function storeError(operation: string, error: unknown): Error {
  if (error instanceof SessionError) return error;
  return new SessionError("SESSION_STORE", `The session store failed at "${operation}".`, { cause: error });
}

function causeOf(error: unknown): unknown {
  return error instanceof Error ? error.cause : undefined;
}
