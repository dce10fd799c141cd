import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { commandLine } from "./command-line";
import { compileScripts } from "./compiled-scripts";

/** The command line, and the session file that it finds in its folder. */
export function embeddedCommandLine() {
  const cli = commandLine();
  const scripts = compileScripts(["lib", "test/support"]);
  afterAll(() => scripts.dispose());
  const folder = () => join(cli.folder(), ".sessions");
  const file = () => join(folder(), "sessions.db");

  /** Makes this many sessions with these fields, in a file that no process has open afterwards. Returns their ids. */
  function seed(count: number, fields = {}): string[] {
    const args = [scripts.path("test/support/sqlite-seed.ts"), folder(), String(count), JSON.stringify(fields)];
    return JSON.parse(execFileSync(process.execPath, args, { env: scripts.env, encoding: "utf8" })) as string[];
  }

  /** What `coatcheck doctor` finds, and its exit code. */
  async function doctor(path = folder()) {
    const { code, stdout, stderr } = await cli.run(["doctor", "--json", "--path", path]);
    expect(stderr).toBe("");
    return { code, ...(JSON.parse(stdout) as { ok: boolean; problems: { problem: string; fix: string }[] }) };
  }

  return { ...cli, scripts, sessions: folder, file, seed, doctor };
}
