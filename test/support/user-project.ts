import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { howMany } from "./how-many";
import { packInto } from "./packed-package";

/** A user's project: its folder, and the packed tarball in it. */
export interface UserProject {
  readonly folder: string;
  readonly tarball: string;
}

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * `describe` for tests in a project in which npm has installed the packed tarball, and these packages. It is for the
 * long form only. Where a package can't be had the tests are skipped and say so; on a build server (`CI`) they fail.
 */
export function describeInstalled(name: string, packages: readonly string[], body: (project: UserProject) => void) {
  if (howMany(0, 1) === 0) {
    it.skip(`${name} (for the long form)`, () => undefined);
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), "coatcheck-user-"));
  const { tarball } = packInto(folder);
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "app", private: true }));
  const flags = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel", "error"];
  // Without a network, npm would try for many minutes.
  const tries = ["--fetch-retries", "2", "--fetch-retry-mintimeout", "500", "--fetch-retry-maxtimeout", "2000"];
  const args = ["install", ...flags, ...tries, tarball, ...packages];
  const npm = spawnSync("npm", args, { cwd: folder, encoding: "utf8" });
  const suite = () => {
    afterAll(() => rmSync(folder, { recursive: true }));
    if (npm.status === 0) body({ folder, tarball });
    else it("needs packages from npm", () => expect(npm.stderr).toBe(""));
  };
  if (npm.status === 0 || process.env.CI) {
    describe(name, suite);
    return;
  }
  process.stderr.write(`\nSKIPPED: ${name}: npm can't install ${packages.join(" ")}:\n${npm.stderr}\n`);
  rmSync(folder, { recursive: true });
  it.skip(name, () => undefined);
}

/** Runs a program to its end, with little of this process's environment but what is given. */
export function outcomeOf(program: string, args: readonly string[], cwd: string, env = {}): Promise<Outcome> {
  const { PATH, HOME } = process.env;
  return new Promise((resolve) => {
    const options = { cwd, env: { PATH, HOME, NO_COLOR: "1", ...env } };
    execFile(program, args, options, (error, stdout, stderr) => {
      const code = error === null ? 0 : Number(error.code ?? 1);
      resolve({ code, stdout, stderr });
    });
  });
}
