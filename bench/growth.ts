import { statSync } from "node:fs";
import { join } from "node:path";
import { runChild } from "./child";
import type { GrowthSamples } from "./growth-process";
import { median, quantile } from "./statistics";
import { table } from "./tables";
import { MEMORY, REFERENCE } from "./variants";

export interface Growth {
  readonly counts: readonly number[];
  readonly samples: GrowthSamples;
  /** The size of each data file after it was filled. */
  readonly fileBytes: readonly number[];
  /** Bytes of memory for one session. */
  readonly memory: Readonly<Record<string, number>>;
  readonly memoryCount: number;
}

const OPERATIONS = {
  load: "load a session, µs",
  update: "change one key, and wait until it is committed, µs",
  list: "list a user's 10 sessions, µs",
  kill: "kill a user's 10 sessions, and wait for the disk, µs",
  killCpu: "the same, CPU time, µs",
} as const;

/** With a hundred times as many sessions, a kill should take at most this many times as much CPU time. */
export const KILL_TARGET = 1.5;

/**
 * Measures what the embedded store's operations cost as the sessions grow in number, and how much room the sessions
 * take.
 */
export async function measureGrowth(
  folderOf: () => string,
  counts: readonly number[],
  memoryCount: number,
  rounds: number,
): Promise<Growth> {
  const folders = counts.map((count) => ({ count, path: folderOf() }));
  for (const { count, path } of folders) await runChild("seed-process.ts", path, count, 0);
  const fileBytes = folders.map(({ path }) => statSync(join(path, "sessions.db")).size);
  const pairs = folders.flatMap(({ count, path }) => [path, count]);
  const samples = JSON.parse(await runChild("growth-process.ts", rounds, ...pairs)) as GrowthSamples;
  const memory: Record<string, number> = {};
  for (const name of [MEMORY, REFERENCE]) memory[name] = Number(await runChild("memory-process.ts", name, memoryCount));
  return { counts, samples, fileBytes, memory, memoryCount };
}

export function growthReport({ counts, samples, fileBytes, memory, memoryCount }: Growth): string[] {
  const numbers = counts.map((count) => count.toLocaleString("en"));
  const rows = Object.entries(OPERATIONS).map(([name, title]) => {
    const rounds = samples[name as keyof typeof OPERATIONS];
    return [title, ...rounds.map((one) => median(one).toFixed(name === "load" ? 2 : 0)), growthOf(rounds)];
  });
  const bytes = fileBytes.map((each, at) => Math.round(each / (counts[at] ?? NaN)));
  return [
    "## How the embedded store grows",
    "",
    "Single operations one after the other, on stores with this many sessions of 200 B, ten for each user; medians of",
    "interleaved rounds, and the last as a multiple of the first (quartiles).",
    "",
    ...table(
      ["sessions", ...numbers, "last : first"],
      [...rows, ["bytes on disk for one session", ...bytes.map(String), ""]],
    ),
    "",
    `To reach: among the most sessions a kill takes at most ${KILL_TARGET} times the CPU time that it takes among the fewest.`,
    "The time that passes depends on the disk, too.",
    "",
    `Memory of a million sessions of 200 B, in MiB, estimated from the heap with ${memoryCount.toLocaleString("en")} of them:`,
    "",
    ...table(
      ["store", "MiB"],
      Object.entries(memory).map(([name, each]) => [name, ((each * 1e6) / 2 ** 20).toFixed(0)]),
    ),
    "",
  ];
}

/** The last as a multiple of the first, round by round: the median, and the quartiles. */
export function growthOf(rounds: readonly (readonly number[])[]): string {
  const [first, last] = [rounds[0] ?? [], rounds.at(-1) ?? []];
  const ratios = last.map((each, round) => each / (first[round] ?? NaN));
  return `${median(ratios).toFixed(2)} (${quantile(ratios, 0.25).toFixed(2)} – ${quantile(ratios, 0.75).toFixed(2)})`;
}
