import { createTask, validate } from "node-cron";
import type { ScheduledTask } from "node-cron";

/**
 * The longest random delay before a run, in milliseconds, so that instances with one schedule don't all start at once.
 */
const MAX_JITTER_MS = 60_000;
/**
 * The longest wait of one timer, in milliseconds. A timer does not notice that the clock was set, and Node's timers
 * have a limit.
 */
const LONGEST_WAIT_MS = 3_600_000;

/**
 * Clears on a schedule. Runs don't overlap; after one that fails, the error is handed on and the next one comes all the
 * same. It keeps no process alive. What clearing takes is not decided here, but by `isDue` in record/expiry.
 *
 * node-cron says when to run, in UTC; the timer is ours. That of node-cron (4.6) reads the clock in local time,
 * whatever zone it is given: in the hour that comes twice it takes the second one for the first, and tries again at
 * once until the second is over.
 */
export class ClearSchedule {
  readonly #schedule: ScheduledTask;
  readonly #run: () => Promise<unknown>;
  readonly #onError: (error: unknown) => void;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  /** `schedule` is a cron expression in UTC; `run` does one clearing. */
  constructor(schedule: string, run: () => Promise<unknown>, onError: (error: unknown) => void) {
    this.#schedule = createTask(schedule, ignore, { timezone: "UTC" });
    this.#run = run;
    this.#onError = onError;
    this.#plan();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    void this.#schedule.destroy();
  }

  #plan(): void {
    const [next, afterNext] = this.#schedule.getNextRuns(2);
    if (next === undefined || afterNext === undefined) return;
    const maxJitterMs = Math.min(MAX_JITTER_MS, (afterNext.getTime() - next.getTime()) / 4);
    this.#wait(next.getTime() + Math.random() * maxJitterMs);
  }

  #wait(until: number): void {
    const ms = Math.min(Math.max(0, until - Date.now()), LONGEST_WAIT_MS);
    this.#timer = setTimeout(() => {
      if (Date.now() < until) this.#wait(until);
      else void this.#clear();
    }, ms).unref();
  }

  async #clear(): Promise<void> {
    await this.#run().catch(this.#onError);
    if (!this.#isStopped) this.#plan();
  }
}

/** Whether this is a cron expression. */
export function isSchedule(text: string): boolean {
  return validate(text);
}

/** The task of node-cron: it is never run, only asked for its times. */
function ignore(): void {
  // Nothing is done by it.
}
