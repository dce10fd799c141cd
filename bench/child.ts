import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { unpinnedCommand } from "./cores";

const run = promisify(execFile);

/** Runs a script of this folder in a process of its own, on every core, and resolves to what it printed. */
export async function runChild(script: string, ...args: readonly (string | number)[]): Promise<string> {
  const path = join(__dirname, script);
  const [command, ...rest] = unpinnedCommand(
    process.execPath,
    "--expose-gc",
    "--import",
    "tsx",
    path,
    ...args.map(String),
  );
  const { stdout } = await run(command, rest, { maxBuffer: 2 ** 26 });
  return stdout;
}
