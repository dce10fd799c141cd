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

const PAGE = join(__dirname, "../README.md");
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

/** Puts the medians into the README; variants that were not measured have no row. */
export function writeReadmeTable(samples: Samples): void {
  const page = readFileSync(PAGE, "utf8");
  const from = page.indexOf(BEGIN);
  const to = page.indexOf(END, from);
  if (from < 0 || to < 0) throw new Error(`${PAGE} has no place for the table: "${BEGIN}" … "${END}".`);
  const text = readmeTable(samples).join("\n");
  writeFileSync(PAGE, `${page.slice(0, from + BEGIN.length)}\n\n${text}\n\n${page.slice(to)}`);
}

export function readmeTable(samples: Samples): string[] {
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
