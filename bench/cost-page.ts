import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { added } from "./cpu-report";
import { CONNECT_PG, CONNECT_PG_UNTOUCHED, CONNECT_REDIS, CONNECT_REDIS_UNTOUCHED } from "./database-variants";
import { IOREDIS, POSTGRES, REDIS } from "./database-variants";
import { CASES } from "./rounds";
import type { Samples } from "./rounds";
import { median } from "./statistics";
import { table } from "./tables";
import { CONNECT_DATASTORE, DATASTORE, EMBEDDED, MEMORY, REFERENCE } from "./variants";

const COST = join(__dirname, "../docs/cost.md");
const README = join(__dirname, "../README.md");
const BEGIN = "<!-- measured by `npm run bench`: begin -->";
const END = "<!-- end -->";

/** The rows, and what is said of them. */
const ROWS: Readonly<Record<string, string>> = {
  [MEMORY]: "",
  [EMBEDDED]: " (durable)",
  [REFERENCE]: "",
  "cookie-session": "",
  [REDIS]: "",
  [IOREDIS]: "",
  [CONNECT_REDIS]: "",
  [CONNECT_REDIS_UNTOUCHED]: "",
  [POSTGRES]: "",
  [CONNECT_PG]: "",
  [CONNECT_PG_UNTOUCHED]: "",
  [DATASTORE]: " (emulator)",
  [CONNECT_DATASTORE]: " (emulator)",
};

const COLUMNS = CASES.filter(({ size, operation }) => size !== "64 KB" && operation !== "deep");

/** Puts the medians into docs/cost.md, and a few of them into the README; variants that were not measured have no row. */
export function writeCosts(samples: Samples): void {
  putBetweenMarks(COST, costTable(samples));
  putBetweenMarks(README, costSentence(samples));
}

function putBetweenMarks(file: string, lines: readonly string[]): void {
  const page = readFileSync(file, "utf8");
  const from = page.indexOf(BEGIN);
  const to = page.indexOf(END, from);
  if (from < 0 || to < 0) throw new Error(`${file} has no place for the numbers: "${BEGIN}" … "${END}".`);
  writeFileSync(file, `${page.slice(0, from + BEGIN.length)}\n\n${lines.join("\n")}\n\n${page.slice(to)}`);
}

/** What a read of a larger session costs, for those who read one sentence only. */
function costSentence(samples: Samples): string[] {
  const [read] = CASES.filter(({ size, operation }) => size === "4 KB" && operation === "read");
  const of = (name: string) => (read === undefined ? "–" : cell(added(samples, name, read)));
  return [
    `In the embedded store, a request that reads a session of 4 KB takes ${of(EMBEDDED)} µs more CPU time than one without sessions;`,
    `on Redis ${of(REDIS)} µs, on PostgreSQL ${of(POSTGRES)} µs. With express-session it is ${of(REFERENCE)} µs in its \`MemoryStore\`,`,
    `${of(CONNECT_REDIS)} µs with connect-redis and ${of(CONNECT_PG)} µs with connect-pg-simple.`,
  ];
}

function costTable(samples: Samples): string[] {
  const measured = new Set([...samples.keys()].map(({ name }) => name));
  const rows = Object.entries(ROWS).filter(([name]) => measured.has(name));
  return table(
    ["", ...COLUMNS.map(({ size, operation }) => `${size} ${operation}`)],
    rows.map(([name, note]) => [`${name}${note}`, ...COLUMNS.map((one) => cell(added(samples, name, one)))]),
  );
}

function cell(microseconds: readonly number[]): string {
  return microseconds.length === 0 ? "–" : median(microseconds).toFixed(0);
}
