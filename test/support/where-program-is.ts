import { findProgram } from "./find-program";

/** A suite that needs a program. Where that is missing, the suite is skipped and says so. */
export function describeWhereProgramIs(program: string, name: string, body: (path: string) => void): void {
  const path = findProgram(program);
  if (path === undefined) process.stderr.write(`SKIPPED: ${name}: there is no program ${program} on this machine.\n`);
  const run = path === undefined ? describe.skip : describe;
  run(name, () => body(path ?? ""));
}
