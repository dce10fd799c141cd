/**
 * Where the time of our sessions goes: the functions with the most self time, for each case of the benchmark, with
 * their share of its CPU time. `tsx bench/profile.ts [variant] [seconds]`, after `npm run build`; the variant is a name
 * from `variants.ts`.
 */
import { mkdtempSync, rmSync } from "node:fs";
import type { Profiler } from "node:inspector";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { LOAD_CORE, pinThisProcess } from "./cores";
import { load, signIn } from "./load";
import { CASES } from "./rounds";
import { ServerProcess } from "./server-process";
import { startServices } from "./services";
import { EMBEDDED, VARIANTS } from "./variants";

const SHOWN = 25;
const ROOT = join(__dirname, "..");

void main();

async function main(): Promise<void> {
  const [name = EMBEDDED, seconds = "3"] = process.argv.slice(2);
  const variant = VARIANTS.find((one) => one.name === name);
  if (variant === undefined) throw new Error(`Known are: ${VARIANTS.map((one) => one.name).join("; ")}.`);
  const services = variant.service === undefined ? undefined : await startServices();
  const folder = mkdtempSync(join(tmpdir(), "coatcheck-profile-"));
  pinThisProcess(LOAD_CORE);
  const server = await ServerProcess.start(variant, folder);
  for (const { size, operation } of CASES) {
    const visitors = await signIn(server, size);
    await load(server, visitors, operation, 1000);
    await server.startProfile();
    const { cpuUs } = await load(server, visitors, operation, Number(seconds) * 1000);
    const profile = await server.stopProfile();
    for (const visitor of visitors) visitor.leave();
    console.log(`\n${name}, ${size}, ${operation}: ${cpuUs.toFixed(1)} µs a request while profiled`);
    printShares("place, with what it calls of Node", timeByPlace(profile), cpuUs);
    printShares("function", selfTime(profile), cpuUs);
  }
  await server.stop();
  await services?.stop();
  rmSync(folder, { recursive: true });
}

/** Self time in microseconds by function. */
function selfTime(profile: Profiler.Profile): Map<string, number> {
  return timeBy(profile, ({ callFrame }) => functionOf(callFrame));
}

/** The same by package or file; time in Node counts for whoever called it, where that is not Node itself. */
function timeByPlace(profile: Profiler.Profile): Map<string, number> {
  const callers = new Map(
    profile.nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node] as const)),
  );
  return timeBy(profile, (node) => {
    let at: Profiler.ProfileNode | undefined = node;
    while (at !== undefined && !isOutsideOfNode(at.callFrame)) at = callers.get(at.id);
    return placeOf(at?.callFrame ?? node.callFrame);
  });
}

/** Self time by the name that `nameOf` gives a node, without idle time and the profiler's own. */
function timeBy(profile: Profiler.Profile, nameOf: (node: Profiler.ProfileNode) => string): Map<string, number> {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const times = new Map<string, number>();
  for (const [index, id] of (profile.samples ?? []).entries()) {
    const node = nodes.get(id);
    if (node === undefined || isLeftOut(node.callFrame)) continue;
    const name = nameOf(node);
    times.set(name, (times.get(name) ?? 0) + (profile.timeDeltas?.[index] ?? 0));
  }
  return times;
}

function isLeftOut({ functionName, url }: Frame): boolean {
  return functionName === "(idle)" || url === "node:inspector";
}

function isOutsideOfNode({ url }: Frame): boolean {
  return url !== "" && !url.startsWith("node:");
}

type Frame = Profiler.ProfileNode["callFrame"];

/** The package of a frame, or, if it is ours, the file. */
function placeOf({ functionName, url }: Frame): string {
  if (url === "") return functionName.startsWith("(") ? functionName : "(native)";
  if (url.startsWith("node:")) return "node";
  const path = pathOf(url);
  return /node_modules\/((@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? path;
}

function functionOf({ functionName, url, lineNumber }: Frame): string {
  return `${functionName || "(anonymous)"}  ${url === "" ? "" : `${pathOf(url)}:${lineNumber + 1}`}`;
}

function pathOf(url: string): string {
  return url.startsWith("node:") ? url : relative(ROOT, url.startsWith("file:") ? fileURLToPath(url) : url);
}

function printShares(title: string, times: Map<string, number>, cpuUs: number): void {
  const all = [...times.values()].reduce((sum, time) => sum + time, 0);
  console.log(`  by ${title}:`);
  for (const [name, time] of [...times].sort(([, a], [, b]) => b - a).slice(0, SHOWN)) {
    const share = time / all;
    console.log(`  ${(100 * share).toFixed(1).padStart(6)} % ${(cpuUs * share).toFixed(1).padStart(7)} µs  ${name}`);
  }
}
