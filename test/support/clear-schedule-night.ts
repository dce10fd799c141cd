import { mock } from "node:test";
import { ClearSchedule } from "../../lib/jobs/clear-schedule";

// Lets a clearing job live through some hours, beginning at a given instant, by a clock of its own, and prints when it
// ran.
const [from = "", hours = "", schedule = ""] = process.argv.slice(2);
const MINUTE = 60_000;

// The real one: between two ticks, what a timer has started can go on.
const nextTurn = setImmediate;
mock.timers.enable({ apis: ["setTimeout", "Date"], now: new Date(from) });
const runs: string[] = [];
const errors: unknown[] = [];
const job = new ClearSchedule(
  schedule,
  async () => runs.push(new Date().toISOString()),
  (error) => errors.push(error),
);
void live();

async function live(): Promise<void> {
  for (let minute = 0; minute < Number(hours) * 60; minute += 1) {
    mock.timers.tick(MINUTE);
    await new Promise((resolve) => nextTurn(resolve));
  }
  job.stop();
  process.stdout.write(JSON.stringify({ runs, errors }));
}
