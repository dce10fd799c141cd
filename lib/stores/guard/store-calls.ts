import { SessionError } from "../../errors";
import { DeadlineQueue } from "../deadline-queue";
import type { Deadline } from "../deadline-queue";

/**
 * Calls of a store's operations. Each is answered within the time limit, and its failure is a SessionError. It is under
 * way until the store has answered, in time or not; `close` waits for that. (P7)
 */
export class StoreCalls {
  readonly #timeoutMs: number;
  readonly #deadlines: DeadlineQueue;
  /** How many calls the store has not answered yet. */
  #underWay = 0;
  #whenIdle: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  /** `timeoutMs` is how long one call may take. */
  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
    this.#deadlines = new DeadlineQueue(timeoutMs);
  }

  /** Throws `SESSION_CLOSED` once `close` was called. */
  assertOpen(): void {
    if (this.#closing !== undefined) throw new SessionError("SESSION_CLOSED", "These Sessions were closed.");
  }

  /** Starts an operation and returns what it answers. */
  run<T>(operation: string, start: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.assertOpen();
      this.#guard(operation, started(operation, start), resolve, reject);
    });
  }

  /** The answer of an operation that was started already. */
  inTime<T>(operation: string, answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => this.#guard(operation, answer, resolve, reject));
  }

  /** As `run`, but without a time limit. */
  async runUnlimited<T>(operation: string, start: () => Promise<T>): Promise<T> {
    this.assertOpen();
    this.#underWay += 1;
    try {
      return await start();
    } catch (error) {
      throw storeError(operation, error);
    } finally {
      this.#answered(undefined);
    }
  }

  /** Streams what an operation finds; the time limit holds for each step. */
  async *stream<T>(operation: string, start: () => AsyncIterable<T>): AsyncGenerator<T> {
    this.assertOpen();
    const found = started(operation, () => start()[Symbol.asyncIterator]());
    let isWaiting = false;
    try {
      for (;;) {
        isWaiting = true;
        const step = await this.run(operation, () => found.next());
        isWaiting = false;
        if (step.done === true) return;
        yield step.value;
      }
    } finally {
      const letGo = found.return?.();
      // After a step that failed the caller has its error already, and behind one that hangs this would hang too.
      if (isWaiting) letGo?.catch(() => undefined);
      else await letGo;
    }
  }

  /**
   * Waits for what is under way, for as long as one call may take, then runs `closeStore`. Calls made from now on fail.
   */
  close(closeStore: () => Promise<void>): Promise<void> {
    this.#closing ??= this.#idle().then(() => this.inTime("close", started("close", closeStore)));
    return this.#closing;
  }

  /** Hands the answer on, or the end of the time limit, whichever comes first. */
  #guard<T>(
    operation: string,
    answer: Promise<T>,
    resolve: (value: T) => void,
    reject: (error: unknown) => void,
  ): void {
    const deadline = this.#deadlines.add(() => reject(timeoutError(operation, this.#timeoutMs)));
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
}

/** The failure of a store's operation as the rest of the library sees it; the store's own error is the `cause`. */
export function storeError(operation: string, error: unknown): Error {
  if (error instanceof SessionError) return error;
  return new SessionError("SESSION_STORE", `The session store failed at "${operation}".`, { cause: error });
}

/** The error of an operation that the store has not answered in time. */
export function timeoutError(operation: string, timeoutMs: number): SessionError {
  return new SessionError(
    "SESSION_STORE_TIMEOUT",
    `The session store did not answer "${operation}" within ${timeoutMs} ms (storeTimeout).`,
  );
}

/** Starts an operation of a store, which may also throw where it should reject. */
export function started<T>(operation: string, start: () => T): T {
  try {
    return start();
  } catch (error) {
    throw storeError(operation, error);
  }
}

/** Whether `error` is `own`, or was thrown because of it. */
export function isDueTo(error: unknown, own: unknown): boolean {
  return error === own || (error instanceof Error && error.cause === own);
}
