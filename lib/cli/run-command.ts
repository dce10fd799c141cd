import { SessionError } from "../errors";
import { quoted } from "../record/shown-text";
import { EXIT_CODE } from "./command";
import type { Command } from "./command";
import { CommandArguments, HELP_OPTION, UsageError } from "./command-arguments";
import { COMMANDS } from "./commands/command-list";
import { printable } from "./printed-text";
import { Output, OutputClosed } from "./terminal";
import type { Streams } from "./terminal";

/** Runs `coatcheck` with these arguments. Resolves to the exit code; a failure is told on stderr. */
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
  if (name === undefined) throw new UsageError(`Which command?\n\n${overviewText()}`);
  if (name === "--help" || name === "-h" || name === "help") {
    await output.line(overviewText());
    return EXIT_CODE.ok;
  }
  const command = COMMANDS.get(name);
  if (command === undefined) throw new UsageError(`There is no command ${quoted(name)}.\n\n${overviewText()}`);
  const args = new CommandArguments(rest, { ...command.options, help: HELP_OPTION });
  if (!args.flag("help")) return command.run({ args, streams, output, notes });
  await output.line(helpText(name, command));
  return EXIT_CODE.ok;
}

/** The text of `coatcheck --help`. */
function overviewText(): string {
  return [
    "usage: coatcheck <command> [options]",
    "",
    ...aligned([...COMMANDS].map(([name, { summary }]) => [name, summary])),
    "",
    "Sessions are looked for where the app of this environment keeps them: where COATCHECK_STORE says; otherwise in",
    "Datastore where DATASTORE_PROJECT_ID, DATASTORE_EMULATOR_HOST, Cloud Run's or App Engine's variables say so;",
    "otherwise in ./.sessions.",
    "coatcheck <command> --help tells more.",
  ].join("\n");
}

/** The text of `coatcheck <name> --help`. */
function helpText(name: string, { summary, details, operands, options }: Command): string {
  const all = Object.entries({ ...options, help: HELP_OPTION });
  return [
    `usage: coatcheck ${name} ${operands === undefined ? "" : `${operands} `}[options]`,
    "",
    `It ${summary}.`,
    ...(details === undefined ? [] : [details]),
    "",
    ...aligned(
      all.map(([option, spec]) => [`--${option}${spec.type === "string" ? ` ${spec.value}` : ""}`, spec.help]),
    ),
  ].join("\n");
}

function aligned(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, text]) => `  ${name.padEnd(width)}  ${text}`);
}

/** An error that an operator can act on is told in words; any other is a bug, and its stack trace says where. */
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
