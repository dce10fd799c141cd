#!/usr/bin/env node
import { secret } from "./cli/secret";

/** What can be called as `coatcheck <name>`; resolves to the exit code. */
interface Command {
  readonly summary: string;
  run(args: readonly string[]): Promise<number> | number;
}

const OK = 0;
const FAILURE = 1;
const USAGE = 2;

const COMMANDS = new Map<string, Command>([
  [
    "secret",
    {
      summary: "prints a new secret for the option secrets",
      run: (args) => {
        if (args.length > 0) return misused("secret takes no arguments");
        console.log(secret());
        return OK;
      },
    },
  ],
]);

function usage(): string {
  const width = Math.max(...[...COMMANDS.keys()].map((name) => name.length));
  const lines = [...COMMANDS].map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`);
  return ["usage: coatcheck <command>", "", ...lines].join("\n");
}

/** What the command line can't mean: why, and how it is used. */
function misused(why: string): number {
  console.error(`coatcheck: ${why}\n\n${usage()}`);
  return USAGE;
}

async function main([name, ...args]: readonly string[]): Promise<number> {
  if (name === "--help" || name === "-h" || (name !== undefined && args.includes("--help"))) {
    console.log(usage());
    return OK;
  }
  if (name === undefined) return misused("which command?");
  const command = COMMANDS.get(name);
  return command === undefined ? misused(`there is no command ${JSON.stringify(name)}`) : command.run(args);
}

main(process.argv.slice(2)).then(
  (code) => void (process.exitCode = code),
  (error: unknown) => {
    console.error(`coatcheck: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = FAILURE;
  },
);
