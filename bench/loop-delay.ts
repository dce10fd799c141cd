import { LOAD_CORE, SERVER_CORE, pinnedCommand } from "./cores";
import { CONNECTIONS, askUntil, signIn } from "./load";
import type { LoopWatch, Section } from "./loop-watch";
import { RESOLUTION_MS } from "./loop-watch";
import { ServerProcess } from "./server-process";
import { quantile } from "./statistics";
import { table } from "./tables";
import { EMBEDDED, MEMORY, VARIANTS } from "./variants";
import type { Visitor } from "./visitor";

/** What one of the servers saw of its event loop. */
export interface LoopDelay extends LoopWatch {
  readonly name: string;
  /** Requests a second of the watched server, and of all. */
  readonly perSecond: number;
  readonly perSecondOfAll: number;
}

const SERVERS = 4;
/** Twenty requests, on a session of 200 B. */
const MIX = { "/untouched": 8, "/read": 6, "/write": 5, "/login": 1 } as const;
const PATHS = Object.entries(MIX).flatMap(([path, times]) => Array.from({ length: times }, () => path));

const WARM_UP_MS = 1500;
/** The store should not keep the event loop for longer, in milliseconds. */
const TARGET_MS = 5;

/**
 * Watches the event loop of one of four servers that share a folder, and of one of four with a MemoryStore each, under
 * the same load.
 */
export async function measureLoopDelays(folderOf: () => string, durationMs: number): Promise<LoopDelay[]> {
  const delays: LoopDelay[] = [];
  for (const name of [MEMORY, EMBEDDED]) delays.push(await measureOne(name, folderOf(), durationMs));
  return delays;
}

async function measureOne(name: string, folder: string, durationMs: number): Promise<LoopDelay> {
  const variant = VARIANTS.find((one) => one.name === name);
  if (variant === undefined) throw new Error(`"${name}" is not among the variants.`);
  const servers: { server: ServerProcess; visitors: readonly Visitor[] }[] = [];
  for (let n = 0; n < SERVERS; n += 1) {
    const server = await ServerProcess.start(variant, folder, (...command) =>
      n === 0 ? pinnedCommand(SERVER_CORE, ...command, "timed") : pinnedCommand(LOAD_CORE, ...command),
    );
    servers.push({ server, visitors: await signIn(server, "200 B", CONNECTIONS / SERVERS) });
  }
  const ask = async (ms: number) => {
    const end = performance.now() + ms;
    const latencies = servers.map(({ visitors }) => visitors.map((one) => askUntil(end, one, anyPath)));
    return await Promise.all(latencies.map(async (some) => (await Promise.all(some)).flat().length));
  };
  await ask(WARM_UP_MS);
  const watched = servers[0]!.server;
  await watched.watchLoop();
  const requests = await ask(durationMs);
  const watch = await watched.unwatchLoop();
  for (const { server, visitors } of servers) {
    for (const visitor of visitors) visitor.leave();
    await server.stop();
  }
  const all = requests.reduce((sum, some) => sum + some, 0);
  return { ...watch, name, perSecond: (requests[0] ?? 0) / watch.seconds, perSecondOfAll: all / watch.seconds };
}

function anyPath(): string {
  return PATHS[Math.floor(Math.random() * PATHS.length)]!;
}

export function loopDelayReport(delays: readonly LoopDelay[]): string[] {
  const row = (title: string, cell: (one: LoopDelay) => string) => [title, ...delays.map(cell)];
  const mix = Object.entries(MIX).map(([path, times]) => `${times * 5} % \`${path.slice(1)}\``);
  const embedded = delays.find(({ transactions }) => transactions.length > 0);
  return [
    "## The event loop",
    "",
    `One of ${SERVERS} servers that share a folder, and of ${SERVERS} with a MemoryStore each, under the same load: ${CONNECTIONS} connections,`,
    `${mix.join(", ")}. The watched server has a core of its own, for all its threads; the others and the load share one. Delays`,
    `are those of \`monitorEventLoopDelay\` beyond its ${RESOLUTION_MS} ms, caused by all that the server does.`,
    "",
    ...table(
      ["", ...delays.map(({ name }) => name)],
      [
        row("requests a second: watched, of all", (one) =>
          [one.perSecond, one.perSecondOfAll].map((each) => Math.round(each).toLocaleString("en")).join(", "),
        ),
        row("delay, p50, ms", ({ p50Ms }) => p50Ms.toFixed(2)),
        row("delay, p99, ms", ({ p99Ms }) => p99Ms.toFixed(2)),
        row("delay, longest, ms", ({ longestMs }) => longestMs.toFixed(2)),
        row("its main thread waited for a core", ({ queuedMs, seconds }) => percent(queuedMs / 1000 / seconds)),
      ],
    ),
    "",
    ...(embedded === undefined ? [] : sectionReport(embedded)),
  ];
}

function sectionReport({ loads, transactions, locked, seconds }: LoopDelay): string[] {
  const row = (title: string, sections: readonly Section[]) => {
    const own = sections.map(({ wallMs, queuedMs }) => Math.max(0, wallMs - queuedMs));
    const whole = own.reduce((sum, each) => sum + each, 0);
    return [
      title,
      Math.round(sections.length / seconds).toLocaleString("en"),
      percent(whole / 1000 / seconds),
      ...[0.5, 0.99, 1].map((share) => quantile(own, share).toFixed(3)),
      String(own.filter((each) => each > TARGET_MS).length),
      Math.max(...sections.map(({ wallMs }) => wallMs)).toFixed(3),
    ];
  };
  return [
    "What the embedded store itself did on the main thread meanwhile, in milliseconds, timed from outside: without the time",
    `for which the thread waited for a core, and in the last column with it. To reach: no longer than ${TARGET_MS} ms.`,
    "",
    ...table(
      ["", "a second", "of the time", "p50", "p99", "longest", `over ${TARGET_MS} ms`, "longest, with waiting"],
      [row("load", loads), row("transaction", transactions)],
    ),
    "",
    `${locked} transactions found the file locked, and waited without keeping the event loop.`,
    "",
  ];
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
