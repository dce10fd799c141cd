import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { resolveOptions } from "../lib/resolved-options";
import { compileScripts } from "./support/compiled-scripts";

describe("the command line", () => {
  const compiled = compileScripts(["lib/cli.ts", "lib/cli"]);
  afterAll(() => compiled.dispose());

  const coatcheck = (...args: string[]) => {
    const script = compiled.path("lib/cli.ts");
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], {
      env: compiled.env,
      encoding: "utf8",
    });
    return { status, stdout, stderr };
  };

  it("makes a secret that the options take, in one line, and another each time", () => {
    const [first, second] = [coatcheck("secret"), coatcheck("secret")];
    for (const { status, stdout, stderr } of [first, second]) {
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      expect(stdout).toMatch(/^[A-Za-z0-9_-]{43}\n$/);
      expect(resolveOptions({ secrets: [stdout.trim()] }).secrets).toEqual([stdout.trim()]);
    }
    expect(first.stdout).not.toBe(second.stdout);
  });

  it.each([["--help"], ["-h"], ["secret", "--help"]])("tells what it can do: %s", (...args) => {
    const { status, stdout, stderr } = coatcheck(...args);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toContain("secret");
  });

  it.each([
    ["no command", [], "which command?"],
    ["one that does not exist", ["secrets"], 'no command "secrets"'],
    ["an object's own name", ["constructor"], 'no command "constructor"'],
    ["an argument too many", ["secret", "64"], "takes no arguments"],
  ])("refuses %s: on stderr, with the usage, and exits with 2", (_what, args, why) => {
    const { status, stdout, stderr } = coatcheck(...args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toContain(why);
    expect(stderr).toContain("usage: coatcheck <command>");
  });

  it("is what the package has as its bin, and starts by itself", () => {
    const root = join(__dirname, "..");
    const { bin } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { bin: Record<string, string> };
    expect(bin).toEqual({ coatcheck: "dist/cli.js" });
    expect(readFileSync(join(root, "lib/cli.ts"), "utf8")).toMatch(/^#!\/usr\/bin\/env node\n/);
  });
});
