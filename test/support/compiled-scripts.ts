import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { transformFileSync } from "@swc/core";

const ROOT = join(__dirname, "../..");

/**
 * Compiles folders, with their subfolders, and files of this checkout (paths from its root) to a temporary folder, so
 * that a script in them starts quickly, as often as a test wants. With `env` it finds the packages.
 */
export function compileScripts(paths: string[]) {
  const outDir = mkdtempSync(join(tmpdir(), "coatcheck-compiled-"));
  for (const path of paths.flatMap((each) => sourcesIn(join(ROOT, each)))) {
    const { code } = transformFileSync(path, {
      swcrc: false,
      jsc: { target: "es2022", parser: { syntax: "typescript" } },
      module: { type: "commonjs" },
    });
    const target = join(outDir, relative(ROOT, path).replace(/\.ts$/, ".js"));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, code);
  }
  return {
    path: (script: string) => join(outDir, script.replace(/\.ts$/, ".js")),
    env: { ...process.env, NODE_PATH: join(ROOT, "node_modules") },
    dispose: () => rmSync(outDir, { recursive: true }),
  };
}

function sourcesIn(path: string): string[] {
  if (path.endsWith(".ts")) return [path];
  return readdirSync(path, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => join(path, name));
}
