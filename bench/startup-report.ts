import type { Startup } from "./startup";
import { table } from "./tables";

export function startupReport(startups: readonly Startup[]): string[] {
  return [
    "## Loading it into a fresh process",
    "",
    ...table(
      ["", "require, ms", "more memory, MiB", "loads the Datastore client"],
      startups.map((one) => [
        one.name,
        one.requireMs.toFixed(1),
        one.memoryMiB.toFixed(1),
        one.loadsDatastore ? "yes" : "no",
      ]),
    ),
    "",
    "To reach: coatcheck in 40 ms, without the Datastore client.",
    "",
  ];
}
