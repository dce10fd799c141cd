import type { SessionDelta } from "../../lib/record/session-delta";
import type { EndedRecord, Ending, SessionRecord } from "../../lib/record/session-record";
import type {
  ClearProgress,
  FindQuery,
  SessionStore,
  SessionTally,
  UnreadableQuery,
  UnreadableRecord,
} from "../../lib/stores/store";
import { signal } from "./gate";

export type Operation = "load" | "create" | "update" | "mutate" | "replace" | "end" | "find" | "clear";

/**
 * - `throws`, `rejects`: the operation is not done.
 * - `hangs`: not done; it rejects after `recover`, when nobody waits for it any more.
 * - `answers late`: done at once, answered after `recover`.
 * - `is late`: done and answered after `recover`.
 * - `loses its answer`: done, and rejects.
 */
export type Fault = "throws" | "rejects" | "hangs" | "answers late" | "is late" | "loses its answer";

const OPERATIONS: readonly Operation[] = ["load", "create", "update", "mutate", "replace", "end", "find", "clear"];

/** What a `FaultyStore` fails with: an error that the library does not know. */
export class OutageError extends Error {}

/** A real store behind a line on which each operation can be counted, slowed down and broken by itself. */
export class FaultyStore implements SessionStore {
  readonly calls = Object.fromEntries(OPERATIONS.map((operation) => [operation, 0])) as Record<Operation, number>;
  /** Called before and after each operation, which waits for what it returns. */
  pause: ((operation: Operation, moment: "before" | "after") => Promise<unknown> | undefined) | undefined;
  readonly #inner: SessionStore;
  readonly #faults = new Map<Operation, Fault>();
  readonly #underWay = new Set<Promise<unknown>>();
  #repair = signal();

  constructor(inner: SessionStore) {
    this.#inner = inner;
  }

  get writes(): number {
    const { create, update, mutate, replace, end } = this.calls;
    return create + update + mutate + replace + end;
  }

  resetCalls(): void {
    for (const operation of OPERATIONS) this.calls[operation] = 0;
  }

  /** This operation fails in this way until `recover`. */
  fail(operation: Operation, fault: Fault): void {
    this.#faults.set(operation, fault);
  }

  /** Everything works again, and operations that hung are settled. */
  recover(): void {
    this.#faults.clear();
    this.#repair.give();
    this.#repair = signal();
  }

  /** Resolves when no operation is under way. */
  async idle(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay);
  }

  load(id: string): SessionRecord | undefined | Promise<SessionRecord | undefined> {
    this.calls.load += 1;
    // A result that comes without a promise stays one.
    if (!this.#faults.has("load") && this.pause === undefined) return this.#inner.load(id);
    return this.#attempt("load", async () => this.#inner.load(id));
  }

  create(record: SessionRecord): Promise<void> {
    this.calls.create += 1;
    return this.#attempt("create", () => this.#inner.create(record));
  }

  update(id: string, delta: SessionDelta): Promise<boolean> {
    this.calls.update += 1;
    return this.#attempt("update", () => this.#inner.update(id, delta));
  }

  mutate(id: string, change: (record: SessionRecord) => SessionDelta | undefined): Promise<SessionRecord | undefined> {
    this.calls.mutate += 1;
    return this.#attempt("mutate", () => this.#inner.mutate(id, change));
  }

  replace(oldId: string, ending: Ending, record: SessionRecord): Promise<boolean> {
    this.calls.replace += 1;
    return this.#attempt("replace", () => this.#inner.replace(oldId, ending, record));
  }

  end(id: string, ending: Ending): Promise<boolean> {
    this.calls.end += 1;
    return this.#attempt("end", () => this.#inner.end(id, ending));
  }

  /** The fault, and the pause, come before the first record. */
  async *find(query: FindQuery): AsyncGenerator<SessionRecord | EndedRecord> {
    this.calls.find += 1;
    await this.#attempt("find", async () => undefined);
    yield* this.#inner.find(query);
  }

  async *findUnreadable(query: UnreadableQuery): AsyncGenerator<UnreadableRecord> {
    yield* this.#inner.findUnreadable?.(query) ?? [];
  }

  tally(now: number): Promise<readonly SessionTally[]> {
    return this.#inner.tally(now);
  }

  clear(now: number, onProgress?: ClearProgress): Promise<number> {
    this.calls.clear += 1;
    return this.#attempt("clear", () => this.#inner.clear(now, onProgress));
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  #attempt<T>(operation: Operation, work: () => Promise<T>): Promise<T> {
    const fault = this.#faults.get(operation);
    if (fault === "throws") throw new OutageError(`${operation} throws`);
    const answer = this.#answer(operation, fault, work);
    const done = () => this.#underWay.delete(answer);
    this.#underWay.add(answer);
    answer.then(done, done);
    return answer;
  }

  async #answer<T>(operation: Operation, fault: Fault | undefined, work: () => Promise<T>): Promise<T> {
    await this.pause?.(operation, "before");
    if (fault === "rejects") throw new OutageError(`${operation} rejects`);
    if (fault === "hangs" || fault === "is late") await this.#repair.given;
    if (fault === "hangs") throw new OutageError(`${operation} hung`);
    const answer = await work();
    if (fault === "answers late") await this.#repair.given;
    if (fault === "loses its answer") throw new OutageError(`the answer of ${operation} was lost`);
    await this.pause?.(operation, "after");
    return answer;
  }
}
