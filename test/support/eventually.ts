import { setTimeout as sleep } from "node:timers/promises";

/** Resolves when something holds. If it never does, the test runs into its time limit. */
export async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(2);
}
