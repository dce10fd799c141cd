/**
 * Measures what 5,000 open event streams of pages cost one instance, beside a bare Node server that keeps as many responses open: memory, reads of the
 * store, CPU time. `npm run bench:streams`, with `-- 1000` for another number of streams. Takes about two minutes and prints the tables. Server and
 * clients are processes of their own, because each needs as many file descriptors as there are streams.
 */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { LOAD_CORE, SERVER_CORE, pinnedCommand } from "./cores";
import { describeMachine } from "./machine";
import type { StreamQuestion, Usage } from "./stream-server";
import { table } from "./tables";

const STREAMS = Number(process.argv[2] ?? 5_000);
/** Beside the streams, a process has files open. */
const SPARE_FILES = 500;
/** The rest that streams get before anything is measured: two checks at least. */
const SETTLE_MS = 12_000;
const IDLE_MS = 30_000;
/** The default of `killCheckInterval`. */
const CHECK_MS = 5_000;
const KINDS = ["bare", "coatcheck"] as const;

interface Measured {
  /** Bytes that one stream takes. */
  readonly bytes: number;
  /** While all streams are idle. */
  readonly idle: Usage;
}

void main();

async function main(): Promise<void> {
  const measured: Record<string, Measured> = {};
  for (const kind of KINDS) measured[kind] = await measure(kind);
  console.log(report(measured).join("\n"));
}

async function measure(kind: (typeof KINDS)[number]): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), "coatcheck-streams-"));
  const server = start(SERVER_CORE, "stream-server.ts", kind, folder);
  const port = await told<number>(server);
  const clients = start(LOAD_CORE, "stream-clients.ts", kind, port, STREAMS);
  await told(clients);
  const before = await ask<number>(server, "memory");
  clients.send("open");
  await told(clients);
  await sleep(SETTLE_MS);
  const bytes = ((await ask<number>(server, "memory")) - before) / STREAMS;
  const from = await ask<Usage>(server, "usage");
  await sleep(IDLE_MS);
  const to = await ask<Usage>(server, "usage");
  for (const child of [clients, server]) {
    const ended = once(child, "exit");
    child.disconnect();
    await ended;
  }
  rmSync(folder, { recursive: true });
  return { bytes, idle: { cpu: to.cpu - from.cpu, loads: to.loads - from.loads, turns: to.turns - from.turns } };
}

function report({ bare, coatcheck }: Record<(typeof KINDS)[number], Measured>): string[] {
  const row = (name: string, { bytes, idle }: Measured) => [
    name,
    (bytes / 1024).toFixed(1),
    (idle.cpu / 1000 / (IDLE_MS / 1000)).toFixed(1),
  ];
  return [
    `# ${STREAMS.toLocaleString("en")} open streams`,
    "",
    ...describeMachine().map((line) => `- ${line}`),
    "",
    ...table(
      ["", "KiB a stream", "idle: ms of CPU time a second"],
      [row("bare Node", bare), row("coatcheck, embedded", coatcheck)],
    ),
    "",
    `Beyond bare Node: ${((coatcheck.bytes - bare.bytes) / 1024).toFixed(1)} KiB a stream.`,
    `The store, in ${IDLE_MS / 1000} s with a check every ${CHECK_MS / 1000} s: ${coatcheck.idle.loads.toLocaleString("en")} loads in ${coatcheck.idle.turns} turns of the event loop.`,
  ];
}

/** Starts a script of this folder on a core of its own, with enough file descriptors. */
function start(core: number, script: string, ...args: readonly (string | number)[]): ChildProcess {
  const files = STREAMS + SPARE_FILES;
  const enough = `if [ "$(ulimit -n)" != unlimited ] && [ "$(ulimit -n)" -lt ${files} ]; then ulimit -n ${files} || exit; fi; exec "$@"`;
  const node = [process.execPath, "--expose-gc", "--import", "tsx", join(__dirname, script), ...args.map(String)];
  const [command, ...rest] = pinnedCommand(core, "/bin/sh", "-c", enough, "sh", ...node);
  return spawn(command, rest, {
    env: { ...process.env, NODE_ENV: "production" },
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
}

async function ask<T>(server: ChildProcess, question: StreamQuestion): Promise<T> {
  const answer = told<T>(server);
  server.send(question);
  return await answer;
}

/** The next message of a process. Rejects where it ends without one. */
async function told<T = unknown>(child: ChildProcess): Promise<T> {
  const ended = once(child, "exit").then(([code]) => {
    throw new Error(`A process of the measurement ended with ${String(code)}.`);
  });
  const [message] = (await Promise.race([once(child, "message"), ended])) as [T];
  ended.catch(() => undefined);
  return message;
}
