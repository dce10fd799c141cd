import { cp, open } from "node:fs/promises";
import { join } from "node:path";
import { runChild } from "./child";
import { unpinnedCommand } from "./cores";
import { load, signIn } from "./load";
import { ServerProcess } from "./server-process";
import { median } from "./statistics";
import { table } from "./tables";
import { EMBEDDED, VARIANTS } from "./variants";
import type { Clearing } from "./watched-clear";

export interface ClearingResult {
  readonly sessions: number;
  readonly due: number;
  /** Without any requests. */
  readonly alone: Clearing;
  readonly besideRequests: Clearing;
  /** Milliseconds, of reads and of writes. */
  readonly p99Before: Tail;
  readonly p99Meanwhile: Tail;
}

interface Tail {
  readonly read: number;
  readonly write: number;
}

/** They pause between requests, because the tail of a fully loaded server says nothing about clearing. */
const VISITORS = 32;
const PAUSE_MS = 20;
const SLICE_MS = 500;

const TO_REACH = { perSecond: 100_000, memoryMiB: 64, p99: 2 };

/** Clears one half of a store: once as fast as possible, and once, in a copy, while requests are served. */
export async function measureClearing(folderOf: () => string, sessions: number): Promise<ClearingResult> {
  const due = sessions / 2;
  const [first, second] = [folderOf(), folderOf()];
  await runChild("seed-process.ts", first, sessions, due);
  await cp(first, second, { recursive: true });
  for (const folder of [first, second]) await flush(join(folder, "sessions.db"));

  const embedded = VARIANTS.find(({ name }) => name === EMBEDDED);
  if (embedded === undefined) throw new Error(`"${EMBEDDED}" is not among the variants.`);
  const quiet = await ServerProcess.start(embedded, first, unpinnedCommand);
  await signInAndLeave(quiet);
  const alone = await quiet.clear();
  await quiet.stop();

  const busy = await ServerProcess.start(embedded, second, unpinnedCommand);
  const visitors = await signIn(busy, "200 B", VISITORS);
  const tail = async (): Promise<Tail> => ({
    read: (await load(busy, visitors, "read", SLICE_MS, PAUSE_MS)).p99Ms,
    write: (await load(busy, visitors, "write", SLICE_MS, PAUSE_MS)).p99Ms,
  });
  await tail();
  const before: Tail[] = [];
  for (let slice = 0; slice < 6; slice += 1) before.push(await tail());
  const meanwhile: Tail[] = [];
  const state = { clearing: true };
  const cleared = busy.clear().finally(() => (state.clearing = false));
  do meanwhile.push(await tail());
  while (state.clearing);
  const besideRequests = await cleared;
  for (const visitor of visitors) visitor.leave();
  await busy.stop();
  return { sessions, due, alone, besideRequests, p99Before: typical(before), p99Meanwhile: typical(meanwhile) };
}

/** Writes a file to the disk, which would otherwise happen while the clearing is measured. */
async function flush(path: string): Promise<void> {
  const file = await open(path, "r+");
  await file.sync();
  await file.close();
}

/** Makes requests first, as on any server, so that the memory they need is not counted as the clearing's. */
async function signInAndLeave(server: ServerProcess): Promise<void> {
  const visitors = await signIn(server, "200 B", VISITORS);
  for (const operation of ["read", "write"] as const) await load(server, visitors, operation, 2 * SLICE_MS);
  for (const visitor of visitors) visitor.leave();
}

/** The medians of the p99 of several slices of time. */
function typical(tails: readonly Tail[]): Tail {
  return { read: median(tails.map(({ read }) => read)), write: median(tails.map(({ write }) => write)) };
}

export function clearingReport(result: ClearingResult): string[] {
  const { alone, besideRequests, p99Before, p99Meanwhile } = result;
  const rate = ({ cleared, seconds }: Clearing) => Math.round(cleared / seconds).toLocaleString("en");
  const tail = (before: number, meanwhile: number) =>
    `${before.toFixed(1)} → ${meanwhile.toFixed(1)} ms: ${(meanwhile / before).toFixed(2)} ×`;
  return [
    "## Clearing",
    "",
    `${result.due.toLocaleString("en")} sessions that are due for clearing, of ${result.sessions.toLocaleString("en")} in the embedded store, among others as old that`,
    "are in use. The server shares the cores with the load.",
    `Beside requests: those of ${VISITORS} visitors who pause for ${PAUSE_MS} ms after each response.`,
    "",
    ...table(
      ["", "alone", "beside requests", "to reach"],
      [
        ["cleared a second", rate(alone), rate(besideRequests), `≥ ${TO_REACH.perSecond.toLocaleString("en")}`],
        [
          "more memory, MiB",
          alone.memoryMiB.toFixed(0),
          besideRequests.memoryMiB.toFixed(0),
          `≤ ${TO_REACH.memoryMiB}`,
        ],
        ["99 of 100 reads, before → meanwhile", "", tail(p99Before.read, p99Meanwhile.read), `≤ ${TO_REACH.p99} ×`],
        ["99 of 100 writes, before → meanwhile", "", tail(p99Before.write, p99Meanwhile.write), `≤ ${TO_REACH.p99} ×`],
      ],
    ),
    "",
  ];
}
