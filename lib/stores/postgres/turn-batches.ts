import { OwnContext } from "../own-context";
import { busyError, isRefusal, ownError, timeoutError } from "./postgres-errors";

/** What a caller asked for. Several may ask for the same id. */
export interface Job {
  readonly id: string;
  /** By `performance.now()`. */
  readonly askedAt: number;
  readonly reject: (error: Error) => void;
}

export interface Write extends Job {
  readonly resolve: (isWritten: boolean) => void;
}

/** The jobs of each id, in the order in which they were asked for. */
export type JobsById<J> = ReadonlyMap<string, readonly J[]>;

/** How many statements are under way at a time; what is asked for meanwhile goes together in the next one. */
const MOST_UNDER_WAY = 2;
/** A statement that takes longer than this, in milliseconds, keeps others waiting no more. */
const SLOW_MS = 50;
/** The most callers that wait; further ones fail at once. */
const MOST_WAITING = 10_000;
/** The most ids in one statement. */
const MOST_IDS = 500;

/**
 * Sends what was asked for in one turn of the event loop as one statement. A caller joins only a statement that was
 * not sent yet. At low load nothing waits.
 */
export class TurnBatches<J extends Job> {
  readonly #call: string;
  readonly #timeoutMs: number;
  readonly #send: (jobs: JobsById<J>) => Promise<void>;
  readonly #isInOrder: boolean;
  readonly #context = new OwnContext();
  /** By id, those that have waited longest first. */
  #waiting = new Map<string, J[]>();
  #waitingJobs = 0;
  /** The ids that are under way. */
  readonly #taken = new Set<string>();
  #underWay = 0;
  #slow = 0;
  #isScheduled = false;
  #whenIdle: (() => void)[] = [];

  /**
   * `send` gives each job its outcome, and never rejects. Nothing is sent later than `timeoutMs` after it was asked
   * for: its caller was told that it failed. `isInOrder`: no two statements of the same id are under way at once, so
   * that the later change stays.
   */
  constructor(
    call: string,
    { timeoutMs, isInOrder }: { readonly timeoutMs: number; readonly isInOrder: boolean },
    send: (jobs: JobsById<J>) => Promise<void>,
  ) {
    this.#call = call;
    this.#timeoutMs = timeoutMs;
    this.#isInOrder = isInOrder;
    this.#send = send;
  }

  add(job: J): void {
    if (this.#waitingJobs >= MOST_WAITING) {
      job.reject(busyError(this.#call, this.#waitingJobs));
      return;
    }
    const jobs = this.#waiting.get(job.id);
    if (jobs === undefined) this.#waiting.set(job.id, [job]);
    else jobs.push(job);
    this.#waitingJobs += 1;
    this.#schedule();
  }

  /** Resolves when every job has its outcome. */
  async idle(): Promise<void> {
    if (this.#waitingJobs > 0 || this.#underWay > 0) {
      await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
    }
  }

  #schedule(): void {
    if (this.#isScheduled || this.#waitingJobs === 0) return;
    this.#isScheduled = true;
    this.#context.run(() => setImmediate(() => this.#run()));
  }

  #run(): void {
    this.#isScheduled = false;
    if (this.#underWay - this.#slow >= MOST_UNDER_WAY) return;
    const jobs = this.#take();
    if (jobs.size === 0) {
      this.#tellIdle();
      return;
    }
    this.#underWay += 1;
    let isSlow = false;
    const timer = setTimeout(() => {
      isSlow = true;
      this.#slow += 1;
      this.#schedule();
    }, SLOW_MS).unref();
    void this.#send(jobs).finally(() => {
      clearTimeout(timer);
      if (isSlow) this.#slow -= 1;
      this.#underWay -= 1;
      if (this.#isInOrder) for (const id of jobs.keys()) this.#taken.delete(id);
      this.#schedule();
      this.#tellIdle();
    });
    // More may wait than went with this one.
    this.#schedule();
  }

  #take(): Map<string, J[]> {
    const taken = new Map<string, J[]>();
    for (const [id, jobs] of this.#waiting) {
      if (taken.size === MOST_IDS) break;
      if (this.#taken.has(id)) continue;
      this.#waiting.delete(id);
      this.#waitingJobs -= jobs.length;
      const inTime = this.#inTime(jobs);
      if (inTime.length === 0) continue;
      taken.set(id, inTime);
      if (this.#isInOrder) this.#taken.add(id);
    }
    // V8 may keep the old tables of a Map, and with them the requests that have waited.
    if (this.#waiting.size === 0) this.#waiting = new Map();
    return taken;
  }

  #inTime(jobs: J[]): J[] {
    const latest = performance.now() - this.#timeoutMs;
    if (jobs.every(({ askedAt }) => askedAt > latest)) return jobs;
    for (const { askedAt, reject } of jobs) {
      if (askedAt <= latest) reject(timeoutError(this.#call, this.#timeoutMs));
    }
    return jobs.filter(({ askedAt }) => askedAt > latest);
  }

  #tellIdle(): void {
    if (this.#waitingJobs > 0 || this.#underWay > 0) return;
    const told = this.#whenIdle;
    this.#whenIdle = [];
    for (const resolve of told) resolve();
  }
}

/** Writes all that was asked for of some ids. Resolves to the ids for which there was something to change. */
export type WriteAll<J> = (all: readonly (readonly [id: string, jobs: readonly J[]])[]) => Promise<ReadonlySet<string>>;

/**
 * Gives each write its outcome. `isOnce`: only the first job of an id can have done it. Where PostgreSQL refused one of
 * the writes, it did none of them, and they are sent one after the other.
 */
export async function writeTogether<J extends Write>(
  jobs: JobsById<J>,
  { isOnce }: { readonly isOnce: boolean },
  write: WriteAll<J>,
): Promise<void> {
  // In the same order everywhere, so that two instances seldom wait for each other.
  const all = [...jobs].sort(([one], [other]) => (one < other ? -1 : 1));
  const each = all.flatMap(([, ofId]) => ofId);
  try {
    const written = await write(all);
    for (const [id, ofId] of all) {
      for (const [index, { resolve }] of ofId.entries()) resolve(written.has(id) && (index === 0 || !isOnce));
    }
  } catch (error) {
    const isRefused = error instanceof Error && isRefusal(error.cause);
    if (isRefused && each.length > 1) {
      for (const job of each) await writeTogether(new Map([[job.id, [job]]]), { isOnce }, write);
    } else {
      for (const { reject } of each) reject(ownError(error));
    }
  }
}
