/**
 * Measures what sessions cost: ours beside its peers, in one run. Takes about 45 minutes, and writes the results beside
 * this file: on Node 24, where speed counts, `results.md` and `results.svg`, the table in docs/cost.md and the sentence
 * in the README; on another Node, `results-node-<major>.md`. `--short` takes about twenty and writes them too;
 * `--quick` takes about four, and prints numbers that are good enough to see a change by. `scale` computes the figures
 * of docs/scale.md instead. better-auth is installed into a temporary folder by each run. better-sqlite3 is compiled
 * where it is installed, so it is measured only where somebody has done that: `npm install --no-save better-sqlite3@12
 * better-sqlite3-session-store`.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { measureAttributes } from "./attributes";
import { chart } from "./chart";
import { measureClearing } from "./clearing";
import { measureConnections } from "./connections";
import { LOAD_CORE, pinThisProcess } from "./cores";
import type { Database } from "./database-calls";
import { measureDatabaseGrowth } from "./database-growth";
import { measureGrowth } from "./growth";
import { measureLoopDelays } from "./loop-delay";
import { describeMachine } from "./machine";
import { writeCosts } from "./cost-page";
import { installPeer } from "./peer-package";
import { report } from "./report";
import { measure } from "./rounds";
import type { Plan, RequestPlan } from "./rounds";
import { countRpcsPerRequest } from "./rpcs";
import { writeScale } from "./scale-report";
import { selfCheck } from "./self-check";
import { startServices } from "./services";
import type { Service } from "./services";
import { measureStartup } from "./startup";
import { VARIANTS, missingModules } from "./variants";
import type { Variant } from "./variants";

interface Length {
  readonly requests: RequestPlan;
  readonly connections: Plan;
  readonly startups: number;
  readonly rpcMs: number;
  /** How many sessions are in the embedded store, in stores in memory, and in databases. */
  readonly growth: {
    readonly counts: readonly number[];
    readonly memory: number;
    readonly databases: readonly number[];
    readonly rounds: number;
  };
  readonly attributeRounds: number;
  /** Sessions, half of which are due. */
  readonly clearing: number;
  readonly loopDelayMs: number;
  /** Whether the results are written. */
  readonly isKept: boolean;
}

const FULL: Length = {
  requests: { processes: 2, rounds: 13, measureMs: 200, leadMs: 100, warmUpMs: 12_000, warmUpRequests: 8000 },
  connections: { rounds: 3, measureMs: 400, leadMs: 100, warmUpMs: 1000, warmUpRequests: 2000 },
  startups: 15,
  rpcMs: 2000,
  growth: { counts: [10_000, 100_000, 1_000_000], memory: 1_000_000, databases: [10_000, 1_000_000], rounds: 31 },
  attributeRounds: 15,
  clearing: 2_000_000,
  loopDelayMs: 5000,
  isKept: true,
};
/** For a machine that is not free for long. */
const SHORT: Length = {
  requests: { processes: 1, rounds: 13, measureMs: 200, leadMs: 30, warmUpMs: 1200, warmUpRequests: 2000 },
  connections: { rounds: 1, measureMs: 200, leadMs: 50, warmUpMs: 300, warmUpRequests: 1000 },
  startups: 9,
  rpcMs: 700,
  growth: { counts: [10_000, 1_000_000], memory: 200_000, databases: [10_000, 1_000_000], rounds: 15 },
  attributeRounds: 7,
  clearing: 200_000,
  loopDelayMs: 4000,
  isKept: true,
};
const QUICK: Length = {
  requests: { processes: 1, rounds: 2, measureMs: 80, leadMs: 20, warmUpMs: 100, warmUpRequests: Infinity },
  connections: { rounds: 1, measureMs: 100, leadMs: 0, warmUpMs: 50, warmUpRequests: Infinity },
  startups: 3,
  rpcMs: 300,
  growth: { counts: [1_000, 10_000, 50_000], memory: 50_000, databases: [1_000, 5_000], rounds: 7 },
  attributeRounds: 3,
  clearing: 100_000,
  loopDelayMs: 3000,
  isKept: false,
};
const LENGTHS: ReadonlyMap<string, Length> = new Map([
  ["--quick", QUICK],
  ["--short", SHORT],
]);

const DATABASES: readonly Database[] = ["redis", "postgres"];

/** The major version whose numbers the README and docs/cost.md give: the long-term release. */
const HEADLINE_NODE = "24";

void main();

async function main(): Promise<void> {
  if (process.argv.includes("scale")) {
    writeScale();
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), "coatcheck-bench-"));
  try {
    const [named] = [...LENGTHS].filter(([option]) => process.argv.includes(option));
    await run(named?.[1] ?? FULL, folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function run(length: Length, folder: string): Promise<void> {
  const machine = describeMachine();
  const startups = measureStartup(length.startups);
  pinThisProcess(LOAD_CORE);
  const services = await startServices();
  const freshFolder = () => mkdtempSync(join(folder, "store-"));
  process.env.PEERS_FOLDER = mkdtempSync(join(folder, "peers-"));
  try {
    const reasons = new Map(VARIANTS.map((variant) => [variant, whyAbsent(variant, services.missing)]));
    const present = VARIANTS.filter((variant) => reasons.get(variant) === undefined);
    const absent = [...reasons].flatMap(([{ name }, reason]) =>
      reason === undefined ? [] : [`Absent: ${name} (${reason})`],
    );
    console.log([...machine, ...absent].join("\n"));

    for (const variant of present) await selfCheck(variant, freshFolder);
    console.log(`${present.length} variants keep their sessions`);
    const { samples, cookieBytes } = await measure(present, freshFolder, length.requests);
    console.log("connections");
    const connections = await measureConnections(present, freshFolder, length.connections);
    console.log("calls to databases");
    const rpcs = await countRpcsPerRequest(present, freshFolder, length.rpcMs);
    console.log("growth");
    const { counts, memory, databases, rounds } = length.growth;
    const growth = await measureGrowth(freshFolder, counts, memory, rounds);
    const presentDatabases = DATABASES.filter((one) => present.some(({ service }) => service === one));
    const databaseGrowth = await measureDatabaseGrowth(presentDatabases, databases, rounds);
    console.log("attributes");
    const attributes = await measureAttributes(length.attributeRounds);
    console.log("clearing");
    const clearing = await measureClearing(freshFolder, length.clearing);
    console.log("the event loop");
    const loopDelays = await measureLoopDelays(freshFolder, length.loopDelayMs);

    const plan = length.requests;
    const measured = {
      samples,
      cookieBytes,
      connections,
      rpcs,
      growth,
      databaseGrowth,
      attributes,
      clearing,
      loopDelays,
      startups,
    };
    const text = report({ machine, absent, plan, ...measured });
    console.log(`\n${text}`);
    if (!length.isKept) return;
    const [major] = process.versions.node.split(".");
    const isHeadline = major === HEADLINE_NODE;
    writeFileSync(join(__dirname, isHeadline ? "results.md" : `results-node-${major}.md`), text);
    if (!isHeadline) return;
    writeFileSync(join(__dirname, "results.svg"), chart(samples));
    writeCosts(samples);
  } finally {
    await services.stop();
  }
}

/** Why a variant can't be measured on this machine; `undefined` where it can. Ours and the reference must be there. */
function whyAbsent(variant: Variant, missing: ReadonlyMap<Service, string>): string | undefined {
  const modules = missingModules(variant);
  if (modules.length > 0) {
    if (!variant.optional) throw new Error(`"${variant.name}" can't be loaded without ${modules.join(", ")}.`);
    return `${modules.join(", ")} not installed`;
  }
  const missingService = variant.service && missing.get(variant.service);
  return missingService ?? (variant.installs && installPeer(variant.installs));
}
