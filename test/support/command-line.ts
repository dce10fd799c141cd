import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compileScripts } from "./compiled-scripts";

/** How long a command may take to end by itself, in milliseconds. */
const TIMEOUT_MS = 30_000;

export interface CommandResult {
  /** The exit code; null if a signal ended the process. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandLine {
  /** The compiled `lib/cli/coatcheck.js`. */
  readonly script: () => string;
  /** The folder in which this test's commands run; no other test uses it. */
  readonly folder: () => string;
  /** The environment of this test's processes; of our own variables it has only those that are given. */
  readonly env: (variables?: Record<string, string>) => NodeJS.ProcessEnv;
  /** Runs `coatcheck` in a process of its own, without a terminal. Rejects if that does not end by itself. */
  readonly run: (args: readonly string[], variables?: Record<string, string>) => Promise<CommandResult>;
  /** The same for a program and its arguments. */
  readonly spawned: (command: string, args: readonly string[], env: NodeJS.ProcessEnv) => Promise<CommandResult>;
}

/** The command line, compiled once for a suite. */
export function commandLine(): CommandLine {
  let compiled: ReturnType<typeof compileScripts>;
  let folder: string;
  beforeAll(() => (compiled = compileScripts(["lib"])));
  afterAll(() => compiled.dispose());
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "coatcheck-cli-"))));
  afterEach(() => rmSync(folder, { recursive: true }));
  const env = (variables: Record<string, string> = {}) => ({
    ...{ PATH: process.env.PATH, NODE_PATH: compiled.env.NODE_PATH, METADATA_SERVER_DETECTION: "none" },
    ...variables,
  });
  const script = () => compiled.path("lib/cli/coatcheck.ts");
  const spawned = (command: string, args: readonly string[], variables: NodeJS.ProcessEnv) =>
    ended(spawn(command, args, { cwd: folder, env: variables, stdio: ["ignore", "pipe", "pipe"] }));
  const run = (args: readonly string[], variables?: Record<string, string>) =>
    spawned(process.execPath, [script(), ...args], env(variables));
  return { script, folder: () => folder, env, run, spawned };
}

async function ended(child: ReturnType<typeof spawn>): Promise<CommandResult> {
  let [stdout, stderr] = ["", ""];
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const timer = setTimeout(() => child.kill("SIGKILL"), TIMEOUT_MS);
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.once("error", reject).once("close", (...how) => resolve(how));
  });
  clearTimeout(timer);
  if (signal === "SIGKILL") throw new Error(`It did not end within ${TIMEOUT_MS} ms. It said:\n${stdout}${stderr}`);
  return { code, stdout, stderr };
}
