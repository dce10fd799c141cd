/**
 * Measures what sessions cost: ours beside its peers, in one run. Takes up to ten minutes; `--quick` under two, with
 * numbers that are good enough to see a change by. Writes `results.md` and `results.svg` beside this file.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chart } from "./chart";
import { LOAD_CORE, pinThisProcess } from "./cores";
import { describeMachine } from "./machine";
import { report } from "./report";
import { measure } from "./rounds";
import type { Plan } from "./rounds";
import { selfCheck } from "./self-check";
import { measureStartup } from "./startup";
import { VARIANTS, missingModules } from "./variants";
import type { Variant } from "./variants";

const FULL: Plan = { rounds: 11, measureMs: 1000, warmUpMs: 1000 };
const QUICK: Plan = { rounds: 5, measureMs: 400, warmUpMs: 600 };

void main();

async function main(): Promise<void> {
  const plan = process.argv.includes("--quick") ? QUICK : FULL;
  const folder = mkdtempSync(join(tmpdir(), "coatcheck-bench-"));
  try {
    await run(plan, folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function run(plan: Plan, folder: string): Promise<void> {
  const machine = describeMachine();
  const startups = measureStartup(plan.rounds * 2 + 1);
  pinThisProcess(LOAD_CORE);

  const reasons = new Map<Variant, string | undefined>();
  for (const variant of VARIANTS) reasons.set(variant, await whyAbsent(variant));
  const present = VARIANTS.filter((variant) => reasons.get(variant) === undefined);
  const absent = [...reasons].flatMap(([{ name }, reason]) =>
    reason === undefined ? [] : [`Absent: ${name} (${reason})`],
  );
  console.log([...machine, ...absent].join("\n"));

  for (const variant of present) await selfCheck(variant, freshFolder(folder));
  console.log(`${present.length} variants keep their sessions`);
  const { samples, cookieBytes } = await measure(present, () => freshFolder(folder), plan);

  const text = report({ machine, plan, samples, cookieBytes, startups, absent });
  console.log(`\n${text}`);
  writeFileSync(join(__dirname, "results.md"), text);
  writeFileSync(join(__dirname, "results.svg"), chart(samples));
}

/** Why a variant can't be measured on this machine; `undefined` where it can. Ours and the reference are never absent. */
async function whyAbsent(variant: Variant): Promise<string | undefined> {
  const missing = missingModules(variant);
  if (missing.length > 0) {
    if (!variant.optional) throw new Error(`"${variant.name}" can't be loaded without ${missing.join(", ")}.`);
    return `${missing.join(", ")} not installed`;
  }
  if (variant.port !== undefined && !(await isListening(variant.port)))
    return `nothing listens on port ${variant.port}`;
  return undefined;
}

async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

function freshFolder(parent: string): string {
  return mkdtempSync(join(parent, "store-"));
}
