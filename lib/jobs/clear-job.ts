import { createTask, validate } from "node-cron";
import type { ScheduledTask } from "node-cron";

/** The longest random delay before a run, in milliseconds: instances that share a schedule don't all start at once. */
const MAX_JITTER_MS = 60_000;

/**
 * Runs the clearing on a schedule. Runs don't overlap, an error is handed on and the next run comes all the same,
 * and the job keeps no process alive.
 */
export class ClearJob {
  readonly #task: ScheduledTask;

  /** `schedule` is a cron expression in the process's time zone; `run` does one clearing. */
  constructor(schedule: string, run: () => Promise<unknown>, onError: (error: unknown) => void) {
    this.#task = createTask(
      schedule,
      async () => {
        // An error is told here; left to node-cron it would also be logged.
        await run().catch(onError);
      },
      { noOverlap: true, unref: true, suppressMissedWarning: true, maxRandomDelay: jitter(schedule), logger: SILENT },
    );
    void this.#task.start();
  }

  stop(): void {
    void this.#task.destroy();
  }
}

/** Whether this is a cron expression. */
export function isSchedule(text: string): boolean {
  return validate(text);
}

/** node-cron's own log tells of skipped runs, which are meant to be skipped. */
const SILENT = { info: ignore, warn: ignore, error: ignore, debug: ignore };

function ignore(): void {
  // Nothing is logged: what matters is emitted as `error`.
}

/** A quarter of the time between two runs, and a minute at most. */
function jitter(schedule: string): number {
  const [first, second] = createTask(schedule, ignore).getNextRuns(2);
  if (first === undefined || second === undefined) return 0;
  return Math.min(MAX_JITTER_MS, (second.getTime() - first.getTime()) / 4);
}
