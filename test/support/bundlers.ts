import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const ROOT = join(__dirname, "../..");

/** What a bundle in the form of an ES module needs at its top, taken from the docs. */
const [, BANNER = ""] = /^```js\n([^]*?)```/m.exec(readFileSync(join(ROOT, "docs/bundlers.md"), "utf8")) ?? [];

/**
 * A bundle's name, and the program that makes it from `entry` as `out` and prints its bundler's warnings: each as the
 * bundler's docs show it for Node.
 */
type Recipe = readonly [name: string, program: string];

const RECIPES: Record<string, Recipe> = {
  esbuild: ["bundle.cjs", esbuild(`minify: true, format: "cjs"`)],
  "esbuild, as an ES module": ["bundle.mjs", esbuild(`format: "esm", banner: { js: BANNER }`)],
  "webpack 5": [
    "bundle.cjs",
    `import { basename, dirname } from "node:path";
     import webpack from "webpack";
     const output = { path: dirname(out), filename: basename(out) };
     const optimization = { minimize: false }; // A minified bundle is esbuild's above; webpack would take long for it.
     webpack({ mode: "production", target: "node", entry, output, optimization }, (error, stats) => {
       if (error ?? stats.hasErrors()) throw error ?? new Error(stats.toString("errors-only"));
       for (const { moduleName, message } of stats.toJson().warnings) warn(moduleName + " " + message);
     });`,
  ],
  rollup: ["bundle.cjs", rollup(`format: "cjs"`)],
  "rollup, as an ES module": ["bundle.mjs", rollup(`format: "es", banner: BANNER`)],
};

function esbuild(options: string): string {
  return `
    import { build } from "esbuild";
    const { warnings } = await build({ entryPoints: [entry], outfile: out, bundle: true, platform: "node", ${options} });
    for (const { location, text } of warnings) warn(location?.file + " " + text);`;
}

function rollup(output: string): string {
  return `
    import commonjs from "@rollup/plugin-commonjs";
    import json from "@rollup/plugin-json";
    import { nodeResolve } from "@rollup/plugin-node-resolve";
    import { rollup } from "rollup";
    const plugins = [nodeResolve({ preferBuiltins: true }), commonjs(), json()];
    const bundle = await rollup({ input: entry, plugins, onwarn: ({ message }) => warn(message) });
    await bundle.write({ file: out, inlineDynamicImports: true, ${output} });`;
}

export const BUNDLERS = Object.keys(RECIPES);

/**
 * Bundles a file into a folder; resolves to the path of the bundle and the bundler's warnings, one a line. It runs in a
 * process of its own, because inside Jest a bundler does not get Node's own modules.
 */
export async function bundled(bundler: string, entry: string, folder: string) {
  const [name, program] = RECIPES[bundler]!;
  const out = join(folder, name);
  const script = `
    const [entry, out, BANNER] = ${JSON.stringify([entry, out, BANNER])};
    const warn = (text) => console.log(text.split("\\n")[0]);
    ${program}`;
  const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", script], { cwd: ROOT });
  return { out, warnings: stdout.split("\n").filter((line) => line !== "") };
}
