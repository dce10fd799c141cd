import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { outcomeOf } from "./user-project";
import { WHOLE_APP } from "./whole-app";

const { exports } = JSON.parse(readFileSync(join(__dirname, "../../package.json"), "utf8")) as { exports: object };
const SUBPATHS = Object.keys(exports).filter((subpath) => !subpath.endsWith(".json"));

/** Prints the subpaths of which `import` gives, by their names, the same exports as `require`. */
const SAME_EXPORTS = `
  import { createRequire } from "node:module";
  const require = createRequire(import.meta.url);
  const same = [];
  for (const subpath of ${JSON.stringify(SUBPATHS)}) {
    const name = "coatcheck" + subpath.slice(1);
    const [imported, required] = [await import(name), require(name)];
    const names = Object.keys(required);
    if (names.length > 0 && names.every((each) => imported[each] === required[each])) same.push(subpath);
  }
  console.log(JSON.stringify(same));
`;

/** Programs of a user's, and what they print. */
const PROGRAMS = {
  "exports.mjs": { code: SAME_EXPORTS, told: SUBPATHS },
  "app.mjs": { code: WHOLE_APP.esm, told: WHOLE_APP.told },
  "app.cjs": { code: WHOLE_APP.commonjs, told: WHOLE_APP.told },
};
type ProgramName = keyof typeof PROGRAMS;
export const PROGRAM_NAMES = Object.keys(PROGRAMS) as ProgramName[];

export function writePrograms(folder: string): void {
  for (const [name, { code }] of Object.entries(PROGRAMS)) writeFileSync(join(folder, name), code);
}

/** Runs one in the folder that it was written to; `node` is the command of Node, and its first arguments. */
export async function expectRuns([node = "", ...args]: readonly string[], name: ProgramName, folder: string) {
  const { stdout, stderr } = await outcomeOf(node, [...args, name, "embedded"], folder);
  expect(stderr).toBe("");
  expect(JSON.parse(stdout)).toEqual(PROGRAMS[name].told);
}
