/**
 * How many machine instructions sessions add to a request, counted by Valgrind (Linux). Other work on the machine may
 * shift times by half, but instructions by less than one in a hundred; what the kernel does for the process is not
 * counted. So they show whether a change of a few microseconds is real. `tsx bench/instructions.ts [variant …]`, after
 * `npm run build`; it takes a minute or two for each number. Where a store is a database, each request waits for calls of
 * its own, because there is one visitor.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ServerProcess } from "./server-process";
import { startServices } from "./services";
import { table } from "./tables";
import { BARE, EMBEDDED, MEMORY, REFERENCE, VARIANTS } from "./variants";
import type { Variant } from "./variants";
import { Visitor } from "./visitor";

const OPERATIONS = ["untouched", "read", "write"] as const;
/** Requests until V8 has compiled all that it will, and those that are counted after them. */
const WARM_UP = 3000;
const COUNTED = 5000;
/** One thread, and the same random numbers: every run does the same. */
const V8_FLAGS = ["--single-threaded", "--hash-seed=1", "--random-seed=1"];

void main();

async function main(): Promise<void> {
  const named = process.argv.slice(2);
  const names = [BARE, ...(named.length > 0 ? named : [MEMORY, EMBEDDED, REFERENCE])];
  const variants = names.map(variantOf);
  const services = variants.some(({ service }) => service !== undefined) ? await startServices() : undefined;
  const bare: number[] = [];
  const rows: string[][] = [];
  for (const variant of variants) {
    const { name } = variant;
    const row = [name];
    for (const [at, operation] of OPERATIONS.entries()) {
      const before = await instructions(variant, operation, WARM_UP);
      const each = ((await instructions(variant, operation, WARM_UP + COUNTED)) - before) / COUNTED;
      bare[at] ??= each;
      row.push(Math.round(name === BARE ? each : each - bare[at]).toLocaleString("en"));
      console.log(`${name}, ${operation}: ${Math.round(each).toLocaleString("en")}`);
    }
    rows.push(row);
  }
  await services?.stop();
  console.log(["", ...table(["instructions that are added, 200 B", ...OPERATIONS], rows)].join("\n"));
}

function variantOf(name: string): Variant {
  const variant = VARIANTS.find((one) => one.name === name);
  if (variant === undefined) throw new Error(`"${name}" is none of: ${VARIANTS.map((one) => one.name).join("; ")}.`);
  return variant;
}

/** All instructions of a server from its start to its end, with this many requests in between. */
async function instructions(variant: Variant, operation: string, requests: number): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "coatcheck-instructions-"));
  const log = join(folder, "valgrind.log");
  const tool = ["--tool=cachegrind", "--cache-sim=no", "--smc-check=all-non-file", "--cachegrind-out-file=/dev/null"];
  try {
    const server = await ServerProcess.start(variant, join(folder, "store"), (node, ...args) => [
      "valgrind",
      ...tool,
      `--log-file=${log}`,
      node,
      ...V8_FLAGS,
      ...args,
    ]);
    const visitor = await Visitor.arrive(server.port);
    await visitor.get("/sign-in/200%20B");
    for (let n = 0; n < requests; n += 1) await visitor.get(`/${operation}`);
    visitor.leave();
    await server.stop();
    const counted = /I\s+refs:\s+([\d,]+)/.exec(readFileSync(log, "utf8"))?.[1];
    if (counted === undefined) throw new Error(`Valgrind counted nothing: ${readFileSync(log, "utf8")}`);
    return Number(counted.replaceAll(",", ""));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
