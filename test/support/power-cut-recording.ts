import { execFileSync, fork, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compileScripts } from "./compiled-scripts";
import { readTrace } from "./power-cut-trace";
import type { TraceEvent } from "./power-cut-trace";

/** The folder that exists from the beginning, and the names of the files to which writers write their notes. */
export const FOLDER = "folder";
export const NOTES = "notes-";

export interface WriterPlan {
  /** The owner of its sessions. */
  readonly name: string;
  /** How often it opens the store, works, and closes it. */
  readonly rounds: number;
  readonly stepsPerRound: number;
  /** Whether it ends without closing the store the last time. */
  readonly leaves?: boolean;
}

/** What this machine lacks for recording what processes write; undefined if nothing is missing. */
export function missingForRecording(): string | undefined {
  if (process.platform !== "linux") return "Linux, whose loader the recorder needs (LD_PRELOAD)";
  return spawnSync("cc", ["--version"]).status === 0 ? undefined : "a C compiler called cc";
}

/**
 * Runs writers on a store, those of one list at the same time and the lists one after the other. Returns all that they
 * did to the files, and the store's files as they are afterwards.
 */
export async function recordWriters(
  store: string,
  ...plans: WriterPlan[][]
): Promise<{ events: TraceEvent[]; files: Map<string, Buffer> }> {
  const work = realpathSync(mkdtempSync(join(tmpdir(), "coatcheck-power-cut-")));
  const scripts = compileScripts(["lib", "test/support"]);
  try {
    const shim = join(work, "shim.so");
    execFileSync("cc", ["-shared", "-fPIC", "-O2", "-o", shim, join(__dirname, "power-cut-shim.c"), "-lpthread"]);
    const root = mkdtempSync(join(work, "root-"));
    const log = join(work, "log");
    mkdirSync(join(root, FOLDER));
    // If libuv syncs through io_uring, it calls no function that could be recorded.
    const recorded = { LD_PRELOAD: shim, POWER_CUT_FOLDER: root, POWER_CUT_LOG: log, UV_USE_IO_URING: "0" };
    for (const together of plans) {
      const writers = together.map(({ name, rounds, stepsPerRound, leaves }) =>
        fork(
          scripts.path("test/support/power-cut-writer.ts"),
          [join(root, store), join(root, NOTES + name), name, `${rounds}`, `${stepsPerRound}`, leaves ? "leaves" : ""],
          { env: { ...scripts.env, ...recorded }, execArgv: [] },
        ),
      );
      for (const [code] of await Promise.all(writers.map((writer) => once(writer, "exit")))) {
        if (code !== 0) throw new Error("A writer failed: see above.");
      }
    }
    return { events: readTrace(log), files: filesIn(join(root, store)) };
  } finally {
    scripts.dispose();
    rmSync(work, { recursive: true });
  }
}

function filesIn(folder: string): Map<string, Buffer> {
  const names = readdirSync(folder).filter((name) => !name.endsWith("-shm"));
  return new Map(names.map((name) => [name, readFileSync(join(folder, name))]));
}
