import { setTimeout as sleep } from "node:timers/promises";

/** Resolves when something holds. What never does is told of by the time limit of the test. */
export async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(2);
}
