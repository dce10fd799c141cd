import { SessionError } from "../errors";
import { similarName } from "../options/reader/similar-name";
import { quoted } from "../record/shown-text";
import { EXIT_CODE } from "./command";
import { CommandArguments, HELP_OPTION } from "./command-arguments";
import { COMMANDS } from "./commands/command-list";
import { helpText, overviewText } from "./help-text";
import { packageVersion } from "./package-version";
import { printable } from "./printed-text";
import { Output, OutputClosed } from "./terminal";
import type { Streams } from "./terminal";
import { UsageError } from "./usage-error";

/** Runs `coatcheck` with these arguments. Resolves to the exit code; a failure is printed on stderr. */
export async function runCommand(args: readonly string[], streams: Streams): Promise<number> {
  const output = new Output(streams.stdout);
  const notes = new Output(streams.stderr);
  try {
    return await run(args, streams, output, notes);
  } catch (error) {
    // The reader has read enough.
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
  if (name === undefined) throw new UsageError(`Which command?\n\n${overview()}`);
  if (name === "--help" || name === "-h" || name === "help") {
    await output.line(overview());
    return EXIT_CODE.ok;
  }
  if (name === "--version" || name === "-V" || name === "version") {
    await output.line(`coatcheck ${packageVersion()}`);
    return EXIT_CODE.ok;
  }
  const command = COMMANDS.get(name);
  if (command === undefined) throw new UsageError(unknownText(name));
  const args = new CommandArguments(name, rest, { ...command.options, help: HELP_OPTION });
  if (!args.flag("help")) return command.run({ args, streams, output, notes });
  await output.line(helpText(name, command));
  return EXIT_CODE.ok;
}

function unknownText(name: string): string {
  if (name.startsWith("-")) return `The command comes first, then its options: coatcheck list --json.\n\n${overview()}`;
  const meant = similarName(name, [...COMMANDS.keys()]);
  const given = `There is no command ${quoted(name)}`;
  return meant === undefined ? `${given}.\n\n${overview()}` : `${given}; did you mean ${meant}?`;
}

function overview(): string {
  return overviewText(COMMANDS);
}

/**
 * Of an error that an operator can act on, the message is printed; any other is a bug, and its stack trace says where.
 */
function told(error: unknown): string {
  if (error instanceof UsageError) return error.message;
  if (error instanceof SessionError) return `${error.message} (${error.code})`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** Messages quote arguments and other people's text. */
function printableLines(text: string): string {
  return text.split("\n").map(printable).join("\n");
}

function isUsage(error: unknown): boolean {
  return error instanceof UsageError || (error instanceof SessionError && error.code === "SESSION_ARGUMENT");
}

/** With nobody reading stderr, the exit code alone tells of the failure. */
function assertClosed(error: unknown): void {
  if (!(error instanceof OutputClosed)) throw error;
}
