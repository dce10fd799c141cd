import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { findProgram } from "./find-program";

/** The longest time to start and to stop, in milliseconds. */
const START_MS = 80_000;
const STOP_MS = 10_000;

/** What is missing on this machine to run the emulator; undefined if nothing is. */
export function missingForEmulator(): string | undefined {
  const gcloud = findProgram("gcloud");
  if (gcloud === undefined) return "the gcloud CLI";
  const component = join(dirname(gcloud), "..", "platform", "cloud-firestore-emulator");
  if (!existsSync(component)) return "gcloud's component cloud-firestore-emulator";
  return findProgram("java") === undefined ? "Java" : undefined;
}

export interface Emulator {
  stop(): Promise<void>;
}

/** Starts the emulator and resolves when it responds. Rejects with its output if it ends instead. */
export async function startEmulator(host: string): Promise<Emulator> {
  // gcloud makes a process group of its own and starts Java in it. The shell ends that group when gcloud's start fails
  // or the pipe to us breaks, so nothing outlives this run, however it ends.
  const script = `
    exec 3<&0
    gcloud "$@" 3<&- & emulator=$!
    (cat <&3; kill -- "-$emulator") >/dev/null 2>&1 &
    wait $emulator
    while kill -s 0 -- "-$emulator" 2>/dev/null; do sleep 0.1; done
    kill -- -$$`;
  const args = ["emulators", "firestore", "start", "--database-mode=datastore-mode", `--host-port=${host}`];
  const group = spawn("/bin/sh", ["-c", script, "emulator", ...args], {
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, METADATA_SERVER_DETECTION: "none" },
  });
  let output = "";
  for (const stream of [group.stdout, group.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => (output = (output + text).slice(-4_000)));
  }
  const stop = () => stopGroup(group);
  if (await answers(host, group)) return { stop };
  await stop();
  throw new Error(`The Datastore emulator did not start on ${host}. It said:\n${output}`);
}

async function answers(host: string, group: ChildProcess): Promise<boolean> {
  const until = Date.now() + START_MS;
  while (Date.now() < until && !hasEnded(group)) {
    const answer = await fetch(`http://${host}/`).catch(() => undefined);
    if (answer?.ok === true) return true;
    await sleep(100);
  }
  return false;
}

/** The shell waits for all of gcloud's group, so when it has ended, all have. */
async function stopGroup(group: ChildProcess): Promise<void> {
  group.stdin?.destroy();
  const until = Date.now() + STOP_MS;
  while (!hasEnded(group)) {
    if (Date.now() > until) throw new Error(`The Datastore emulator (process ${String(group.pid)}) did not stop.`);
    await sleep(50);
  }
}

function hasEnded(group: ChildProcess): boolean {
  return group.exitCode !== null || group.signalCode !== null || group.pid === undefined;
}
