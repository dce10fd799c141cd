import { execFileSync, spawnSync } from "node:child_process";
import { availableParallelism, cpus } from "node:os";

export const SERVER_CORE = 0;
export const LOAD_CORE = 1;

/** Whether server and load can each have a core of their own: two cores, and the `taskset` of util-linux. */
export const canPin = availableParallelism() > 1 && spawnSync("taskset", ["--version"]).status === 0;

/** The command line that runs a command on one core, if that is possible. */
export function pinnedCommand(core: number, ...command: [string, ...string[]]): [string, ...string[]] {
  return canPin ? ["taskset", "--cpu-list", String(core), ...command] : command;
}

/** The command line that runs a command on every core, whichever this process is on. */
export function unpinnedCommand(...command: [string, ...string[]]): [string, ...string[]] {
  return canPin ? ["taskset", "--cpu-list", `0-${cpus().length - 1}`, ...command] : command;
}

/** Moves this process, with all its threads, to one core. */
export function pinThisProcess(core: number): void {
  if (canPin) execFileSync("taskset", ["--all-tasks", "--cpu-list", "--pid", String(core), String(process.pid)]);
}
