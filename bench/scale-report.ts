import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { table } from "./tables";
import { HABITS, simulateDay } from "./visitors";
import type { Day, Operations } from "./visitors";

const PAGE = join(__dirname, "../docs/scale.md");
const BEGIN = "<!-- computed by `npm run bench -- scale`: begin -->";
const END = "<!-- end -->";

const SIMULATED = 100_000;
const DAILY_USERS = [1_000_000, 100_000_000];
/** The busiest second has this many times the requests of the average one. */
const PEAK = 3;

/** US dollars for 100,000 entities; see the sources in docs/scale.md. */
const PRICES = {
  "us-central1": { reads: 0.03, writes: 0.09, deletes: 0.01 },
  nam5: { reads: 0.06, writes: 0.18, deletes: 0.02 },
};
const LIBRARIES = { coatcheck: "ours", "one that saves with every request": "touching" } as const;

/**
 * Writes a second that a range of new index entries takes at first, and by what factor that grows every five minutes.
 */
const START_RATE = 500;
const RAMP = 1.5;
const SHARDS = 64;
/** Shards of the index that counts live sessions, for each group of them. */
const TALLY_SHARDS = 16;
const NEW_SESSIONS = 100_000;

/** Computes the figures of docs/scale.md and writes them there. */
export function writeScale(): void {
  const day = simulateDay(SIMULATED);
  const text = [...assumptions(day), ...perDay(day), ...hotSpots(day)].join("\n");
  const page = readFileSync(PAGE, "utf8");
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`${PAGE} has no place for the figures: "${BEGIN}" … "${END}".`);
  writeFileSync(PAGE, `${page.slice(0, from + BEGIN.length)}\n\n${text}\n\n${page.slice(to)}`);
  console.log(text);
}

function assumptions(day: Day): string[] {
  const each = (total: number, among: number) => (total / among).toFixed(2);
  const { visits, requests, gapSeconds, writes, signIns } = HABITS;
  const row = (name: string, { reads, writes: written, deletes }: Operations) =>
    [reads, written, deletes]
      .map((count) => each(count, day.requests))
      .reduce((cells, cell) => [...cells, cell], [name]);
  return [
    `${number(SIMULATED)} visitors, request by request: ${visits} visits a day, ${requests} requests a visit, ${gapSeconds} seconds apart on average;`,
    `${percent(writes)} of the requests change the session, ${percent(signIns)} of the visits sign in. That is ${each(day.requests, day.visitors)} requests and`,
    `${each(day.sessions, day.visitors)} sessions for each visitor. Entities for one request, on average, the clearing included:`,
    "",
    ...table(
      ["", "reads", "writes", "deletes"],
      Object.entries(LIBRARIES).map(([name, which]) => row(name, day[which])),
    ),
    "",
  ];
}

function perDay(day: Day): string[] {
  const rows = DAILY_USERS.flatMap((users) =>
    Object.entries(LIBRARIES).map(([name, which]) => {
      const { reads, writes, deletes } = scaled(day[which], users / day.visitors);
      const cost = Object.values(PRICES).map((price) =>
        dollars((reads * price.reads + writes * price.writes + deletes * price.deletes) / 100_000),
      );
      return [`${number(users)} users, ${name}`, ...[reads, writes, deletes].map(millions), ...cost];
    }),
  );
  return [
    "A day's operations, in millions, and what they cost:",
    "",
    ...table(["", "reads", "writes", "deletes", ...Object.keys(PRICES).map((region) => `${region}, a day`)], rows),
    "",
  ];
}

function hotSpots(day: Day): string[] {
  const perSecond = (operations: Operations, users: number) =>
    (operations.indexWrites * (users / day.visitors) * PEAK) / 86_400;
  const rates: [string, number, number][] = [
    ...DAILY_USERS.map((users): [string, number, number] => [
      `${number(users)} daily users, at their peak`,
      perSecond(day.ours, users),
      perSecond(day.touching, users),
    ]),
    [`${number(NEW_SESSIONS)} new sessions a second`, NEW_SESSIONS, NEW_SESSIONS],
  ];
  const rows = rates.map(([name, ours, touching]) => [
    name,
    number(ours),
    `${number(ours / SHARDS)} (${times(ours / SHARDS)})`,
    `${number(ours / TALLY_SHARDS)} (${times(ours / TALLY_SHARDS)})`,
    number(touching),
    `${number(touching)} (${times(touching)})`,
  ]);
  const limits = (shards: number) => [START_RATE, START_RATE * RAMP].map((rate) => number(rate * shards));
  const [sweep, tally] = [limits(SHARDS), limits(TALLY_SHARDS)];
  const users = (shards: number) =>
    number(Math.floor((((START_RATE * shards * 86_400) / PEAK / day.ours.indexWrites) * day.visitors) / 1e6));
  return [
    `Entries written per second into the index by which clearing finds sessions (\`sweep\`), and how many of them into one`,
    `range. At most as many go into the index that counts live sessions (\`tally\`), in the worst case all of one group. In`,
    `brackets is the multiple of the ${START_RATE} a second that a fresh range takes. The peak is ${PEAK} times the average.`,
    "",
    ...table(
      ["", "`sweep`: all", "in one of 64 ranges", "`tally`: in one of 16", "an indexed time: all", "in its one range"],
      rows,
    ),
    "",
    `By the rule, 64 ranges take ${sweep[0] ?? ""} entries a second in the first five minutes of a bucket, and ${sweep[1] ?? ""} in the second`,
    `five; with these visitors, that is the peak of ${users(SHARDS)} million users a day. The 16 of one group take ${tally[0] ?? ""} and ${tally[1] ?? ""}: the`,
    `peak of ${users(TALLY_SHARDS)} million users a day, if all of them were guests, or none.`,
  ];
}

function scaled({ reads, writes, deletes, indexWrites }: Operations, by: number): Operations {
  return { reads: reads * by, writes: writes * by, deletes: deletes * by, indexWrites: indexWrites * by };
}

function number(value: number): string {
  return Math.round(value).toLocaleString("en");
}

function millions(value: number): string {
  return (value / 1e6).toLocaleString("en", { maximumFractionDigits: 1 });
}

function dollars(value: number): string {
  return `$${number(value)}`;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

function times(rate: number): string {
  return `${(rate / START_RATE).toFixed(1)} ×`;
}
