import { execFile, spawn } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import { on, once } from "node:events";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { promisify } from "node:util";
import { installedProject } from "./installed-project";

const run = promisify(execFile);
const ROOT = join(__dirname, "../..");
const TSC = join(ROOT, "node_modules/.bin/tsc");

/** A running program of the guide. */
export interface RunningExample {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  /** Its next line of output. Rejects, with its stderr, if it ends without one. */
  readonly line: () => Promise<string>;
  /** Resolves to its exit code. */
  readonly exited: Promise<number | null>;
}

/**
 * A reader's project with the programs of a guide in docs/: each block of TypeScript is a file, whose name is in its
 * first line. It has coatcheck as it would be installed: the build of this checkout.
 */
export class GuideProject {
  readonly folder: string;
  readonly names: readonly string[];

  /**
   * `packages` are those that the programs use, beside Express. `fragments` says that the guide has blocks without a
   * name too, which are no programs.
   */
  constructor(guide: string, packages: readonly string[], { fragments = false } = {}) {
    this.folder = installedProject(["express", "@types", ...packages], { type: "module" });
    const blocks = [...readFileSync(join(ROOT, "docs", guide), "utf8").matchAll(/^```ts\n([^]*?)^```/gm)];
    this.names = blocks.flatMap(([, code = ""]) => {
      const name = /^\/\/ (\S+)\.ts\n/.exec(code)?.[1];
      if (name === undefined && fragments) return [];
      if (name === undefined) throw new Error(`A block of ${guide} does not begin with its file's name: ${code}`);
      writeFileSync(join(this.folder, `${name}.ts`), code);
      return [name];
    });
  }

  /** Checks the types of the programs, as strictly as a reader may, and compiles them. */
  async compile(): Promise<void> {
    const strict = ["--strict", "--noUncheckedIndexedAccess", "--exactOptionalPropertyTypes", "--noUnusedLocals"];
    const target = [
      "--module",
      "nodenext",
      "--target",
      "es2022",
      "--lib",
      "es2023,esnext.disposable",
      "--types",
      "node",
    ];
    const args = [...strict, ...target, "--skipLibCheck", ...this.names.map((name) => `${name}.ts`)];
    await run(process.execPath, [TSC, ...args], { cwd: this.folder }).catch((error: unknown) => {
      throw new Error((error as { stdout: string }).stdout);
    });
  }

  start(name: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): RunningExample {
    const clean = Object.entries(process.env).filter(
      ([key]) => !/^(DATASTORE_|K_SERVICE|CLOUD_RUN_|GAE_|NODE_)/.test(key),
    );
    const child = spawn(process.execPath, [`${name}.js`, ...args], {
      cwd: this.folder,
      env: { ...Object.fromEntries(clean), ...env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    let complaints = "";
    child.stderr.on("data", (text: Buffer) => (complaints += text.toString()));
    const lines = on(createInterface({ input: child.stdout }), "line", { close: ["close"] });
    const line = async () => {
      const { done, value } = (await lines.next()) as IteratorResult<[string]>;
      if (done === true) throw new Error(`${name} ended, and told only: ${complaints}`);
      return value[0];
    };
    return { child, line, exited: once(child, "close").then(([code]) => code as number | null) };
  }

  /** Runs a program to its end; resolves to its lines. Rejects if its exit code is not 0. */
  async output(name: string, args?: readonly string[]): Promise<string[]> {
    const { child, line, exited } = this.start(name, args);
    child.stdin.end();
    const lines: string[] = [];
    const reading = (async () => {
      for (;;) lines.push(await line());
    })();
    const ending = await reading.catch((error: unknown) => error as Error);
    if ((await exited) !== 0) throw ending;
    return lines;
  }

  dispose(): void {
    rmSync(this.folder, { recursive: true });
  }
}
