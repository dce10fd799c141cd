import { SessionError } from "../errors";
import { quoted } from "../record/shown-text";
import { backup } from "./commands/backup";
import { clear } from "./commands/clear";
import type { Command, Streams } from "./command";
import { CommandArguments } from "./command-arguments";
import { HELP_OPTION } from "./common-options";
import { doctor } from "./commands/doctor";
import { EXIT_CODE } from "./exit-code";
import { helpText, overviewText } from "./help-text";
import { kill } from "./commands/kill";
import { list } from "./commands/list";
import { Output, OutputClosed } from "./output";
import { printable } from "./printable";
import { secret } from "./commands/secret";
import { show } from "./commands/show";
import { stats } from "./commands/stats";
import { UsageError } from "./usage-error";

const COMMANDS: ReadonlyMap<string, Command> = new Map(
  Object.entries({ list, show, kill, clear, stats, doctor, backup, secret }),
);

/** Runs `coatcheck` with these arguments. Resolves to the exit code; what went wrong is told on stderr. */
export async function runCommand(args: readonly string[], streams: Streams): Promise<number> {
  const output = new Output(streams.stdout);
  const notes = new Output(streams.stderr);
  try {
    return await run(args, streams, output, notes);
  } catch (error) {
    // Whoever read it has read enough.
    if (error instanceof OutputClosed) return EXIT_CODE.ok;
    await notes.line(`coatcheck: ${printableLines(told(error))}`).catch((closed: unknown) => assertClosed(closed));
    return isUsage(error) ? EXIT_CODE.usage : EXIT_CODE.failure;
  }
}

async function run(
  [name, ...rest]: readonly string[],
  streams: Streams,
  output: Output,
  notes: Output,
): Promise<number> {
  if (name === undefined) throw new UsageError(`Which command?\n\n${overviewText(COMMANDS)}`);
  if (name === "--help" || name === "-h" || name === "help") {
    await output.line(overviewText(COMMANDS));
    return EXIT_CODE.ok;
  }
  const command = COMMANDS.get(name);
  if (command === undefined) {
    throw new UsageError(`There is no command ${quoted(name)}.\n\n${overviewText(COMMANDS)}`);
  }
  const args = new CommandArguments(rest, { ...command.options, help: HELP_OPTION });
  if (!args.flag("help")) return command.run({ args, streams, output, notes });
  await output.line(helpText(name, command));
  return EXIT_CODE.ok;
}

/** What an operator can do something about is told in words; anything else is a mistake of ours, whose place matters. */
function told(error: unknown): string {
  if (error instanceof UsageError) return error.message;
  if (error instanceof SessionError) return `${error.message} (${error.code})`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** Errors quote what was given, and what came from elsewhere. */
function printableLines(text: string): string {
  return text.split("\n").map(printable).join("\n");
}

function isUsage(error: unknown): boolean {
  return error instanceof UsageError || (error instanceof SessionError && error.code === "SESSION_ARGUMENT");
}

/** With nobody there to tell it, the exit code says it alone. */
function assertClosed(error: unknown): void {
  if (!(error instanceof OutputClosed)) throw error;
}
