import { runChild } from "./child";
import { watchDatabase } from "./database-calls";
import type { Database } from "./database-calls";
import type { FoundAll } from "./find-process";
import { KILL_TARGET, growthOf } from "./growth";
import type { GrowthSamples } from "./growth-process";
import { placeIn } from "./places";
import { median } from "./statistics";
import { table } from "./tables";

/** What operations of one database's store cost, among this many sessions and that many. */
export interface DatabaseGrowth {
  readonly database: Database;
  readonly counts: readonly number[];
  readonly samples: GrowthSamples;
  /** What it took to stream all of them, for each of `counts`. */
  readonly found: readonly FoundAll[];
  /** Of one session, for each of `counts`. */
  readonly bytes: readonly number[];
}

const TITLES: Readonly<Record<Database, string>> = { redis: "Redis", postgres: "PostgreSQL" };

const OPERATIONS = {
  load: "load a session, µs",
  update: "change one key, µs",
  list: "list a user's 10 sessions, µs",
  kill: "kill a user's 10 sessions, µs",
  killServer: "the same, time inside the database, µs",
} as const;

/** Fills each of the databases with so many sessions, in places of their own, and times single operations on them. */
export async function measureDatabaseGrowth(
  databases: readonly Database[],
  counts: readonly number[],
  rounds: number,
): Promise<DatabaseGrowth[]> {
  const growths: DatabaseGrowth[] = [];
  for (const database of databases) {
    const watch = await watchDatabase(database);
    const bytes: number[] = [];
    const places: (string | number)[] = [];
    for (const count of counts) {
      const name = `growth-${count}`;
      const before = database === "redis" ? await watch.bytes(name) : 0;
      await runChild("seed-process.ts", placeIn(database, name), count, 0);
      bytes.push(((await watch.bytes(name)) - before) / count);
      places.push(placeIn(database, name), count);
    }
    await watch.close();
    const found: FoundAll[] = [];
    for (const count of counts) {
      const printed = await runChild("find-process.ts", placeIn(database, `growth-${count}`));
      found.push(JSON.parse(printed) as FoundAll);
    }
    const samples = JSON.parse(await runChild("growth-process.ts", rounds, ...places)) as GrowthSamples;
    growths.push({ database, counts, samples, found, bytes });
  }
  return growths;
}

export function databaseGrowthReport(growths: readonly DatabaseGrowth[]): string[] {
  if (growths.length === 0) return [];
  return [
    "## How the stores in databases grow",
    "",
    "The same in Redis, in memory alone, and in PostgreSQL with its default settings, each on this machine. Bytes are those of",
    "Redis's `used_memory`, and of tables and indexes on disk, by what so many sessions added.",
    "",
    ...growths.flatMap(growthTable),
    `To reach: among the most sessions a kill takes at most ${KILL_TARGET} times the time inside the database that it takes among the`,
    "fewest. The time that passes depends on the network and, in PostgreSQL, on the disk, too.",
    "",
  ];
}

function growthTable({ database, counts, samples, found, bytes }: DatabaseGrowth): string[] {
  const rows = Object.entries(OPERATIONS).map(([name, title]) => {
    const rounds = samples[name as keyof typeof OPERATIONS];
    return [title, ...rounds.map((one) => median(one).toFixed(0)), growthOf(rounds)];
  });
  const numbers = counts.map((count) => count.toLocaleString("en"));
  return [
    ...table(
      [`${TITLES[database]}, sessions`, ...numbers, "last : first"],
      [
        ...rows,
        ["stream all sessions, s", ...found.map(({ seconds }) => seconds.toFixed(1)), ""],
        ["the same, MiB more in use at most", ...found.map(({ usedMiB }) => usedMiB.toFixed(1)), ""],
        ["the same, MiB more resident at most", ...found.map(({ residentMiB }) => residentMiB.toFixed(0)), ""],
        ["bytes for one session", ...bytes.map((each) => each.toFixed(0)), ""],
        ["MiB for a million", ...bytes.map((each) => ((each * 1e6) / 2 ** 20).toFixed(0)), ""],
      ],
    ),
    "",
  ];
}
