import { OwnContext } from "../own-context";
import { isBusy } from "./file/driver";
import type { Statement } from "./file/driver";
import { LockWait } from "./file/session-file";
import type { SessionFile } from "./file/session-file";
import type { WalSync } from "./file/wal";

/** Something that remembers what transactions write. */
export interface Participant {
  begun(): void;
  /** Writes what is still to be written. */
  committing(): void;
  committed(): void;
  rolledBack(): void;
}

interface Job {
  /** Is called in a transaction; and again, in one of its own, where that failed. */
  readonly work: () => unknown;
  readonly isDurable: boolean;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly lock: LockWait;
  isAlone: boolean;
}

/** How long one transaction may take, in milliseconds: the event loop and all other writers wait for it. */
const TRANSACTION_MS = 3;

/**
 * Writes what was asked for in one turn of the event loop in one transaction, synchronously. Each job has its own
 * outcome: where one throws, the transaction is rolled back, and each of its jobs is tried again in a transaction of
 * its own.
 */
export class WriteQueue {
  readonly #file: SessionFile;
  readonly #participant: Participant;
  readonly #sync: WalSync;
  readonly #onCommit: (jobs: number) => void;
  readonly #begin: Statement;
  readonly #commit: Statement;
  readonly #rollback: Statement;
  readonly #context = new OwnContext();
  #jobs: Job[] = [];
  /** Whether `#run` will be called: in the next turn, or after a pause. */
  #isScheduled = false;
  #underWay = 0;
  #onIdle: (() => void) | undefined;

  constructor(file: SessionFile, participant: Participant, sync: WalSync, onCommit: (jobs: number) => void) {
    this.#file = file;
    this.#participant = participant;
    this.#sync = sync;
    this.#onCommit = onCommit;
    this.#begin = file.db.prepare("BEGIN IMMEDIATE");
    this.#commit = file.db.prepare("COMMIT");
    this.#rollback = file.db.prepare("ROLLBACK");
  }

  /**
   * Resolves once the work is committed: every process sees it, and it survives the death of this one. Rejects with
   * what the work throws.
   */
  write<T>(work: () => T): Promise<T> {
    return this.#enqueue(work, false);
  }

  /** Resolves once the work is committed and on disk. */
  writeDurably<T>(work: () => T): Promise<T> {
    return this.#enqueue(work, true);
  }

  /** Resolves when every job has its outcome. */
  async idle(): Promise<void> {
    if (this.#underWay > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve));
  }

  #enqueue<T>(work: () => T, isDurable: boolean): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const lock = new LockWait();
      this.#jobs.push({ work, isDurable, resolve: resolve as (value: unknown) => void, reject, lock, isAlone: false });
      this.#underWay += 1;
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#isScheduled || this.#jobs.length === 0) return;
    this.#isScheduled = true;
    this.#context.run(() => setImmediate(() => this.#run()));
  }

  #run(): void {
    this.#isScheduled = false;
    const jobs = this.#nextJobs();
    try {
      this.#file.assertThere();
      this.#begin.run();
    } catch (error) {
      if (isBusy(error)) this.#waitForLock(jobs, error);
      else this.#rejectAll(jobs, error);
      this.#schedule();
      return;
    }
    this.#transaction(jobs);
    this.#schedule();
  }

  /** All waiting jobs, or one that has to be alone. */
  #nextJobs(): Job[] {
    const alone = this.#jobs.findIndex(({ isAlone }) => isAlone);
    return this.#jobs.splice(0, alone === -1 ? this.#jobs.length : Math.max(alone, 1));
  }

  /** Does jobs in the open transaction, and ends it. Jobs for which there was no time stay first in the queue. */
  #transaction(jobs: readonly Job[]): void {
    const end = performance.now() + TRANSACTION_MS;
    const values: unknown[] = [];
    try {
      this.#participant.begun();
      do values.push(jobs[values.length]?.work());
      while (values.length < jobs.length && performance.now() < end);
      this.#participant.committing();
      this.#commit.run();
    } catch (error) {
      this.#rollBack();
      if (jobs.length === 1) this.#rejectAll(jobs, error);
      else this.#putBack(jobs.map((job) => ({ ...job, isAlone: true })));
      return;
    }
    this.#participant.committed();
    this.#putBack(jobs.slice(values.length));
    this.#settle(jobs.slice(0, values.length), values);
    this.#onCommit(values.length);
  }

  #rollBack(): void {
    this.#participant.rolledBack();
    try {
      this.#rollback.run();
    } catch {
      // SQLite rolled back by itself, as it does after some failures.
    }
  }

  #putBack(jobs: readonly Job[]): void {
    if (jobs.length > 0) this.#jobs = [...jobs, ...this.#jobs];
  }

  #waitForLock(jobs: readonly Job[], error: unknown): void {
    const [first] = jobs;
    this.#putBack(jobs.filter(({ lock }) => !lock.isOver));
    this.#rejectAll(
      jobs.filter(({ lock }) => lock.isOver),
      error,
    );
    if (this.#jobs.length === 0 || first === undefined) return;
    this.#isScheduled = true;
    this.#context.run(() => void first.lock.pause().then(() => this.#run()));
  }

  #settle(jobs: readonly Job[], values: readonly unknown[]): void {
    const durable: (() => void)[] = [];
    for (const [index, { isDurable, resolve }] of jobs.entries()) {
      if (isDurable) durable.push(() => resolve(values[index]));
      else resolve(values[index]);
    }
    this.#done(jobs.length - durable.length);
    if (durable.length === 0) return;
    this.#sync.afterwards((failure) => {
      if (failure === undefined) for (const resolve of durable) resolve();
      else for (const { isDurable, reject } of jobs) if (isDurable) reject(failure);
      this.#done(durable.length);
    });
  }

  #rejectAll(jobs: readonly Job[], error: unknown): void {
    for (const { reject } of jobs) reject(this.#file.failure("written", error));
    this.#done(jobs.length);
  }

  #done(jobs: number): void {
    this.#underWay -= jobs;
    if (this.#underWay === 0) this.#onIdle?.();
  }
}
