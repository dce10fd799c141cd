import type { CommandArguments } from "./command-arguments";
import type { Output } from "./output";

/** An option of a command; `value` is what its argument is called in the help. */
export type CommandOption =
  | { readonly type: "boolean"; readonly short?: string; readonly help: string }
  | { readonly type: "string"; readonly short?: string; readonly value: string; readonly help: string };

/** The streams that a command line talks through. */
export interface Streams {
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean };
}

/** One call of a command. */
export interface CommandCall {
  readonly args: CommandArguments;
  readonly streams: Streams;
  /** Where results go. */
  readonly output: Output;
  /** Where everything else that a person should read goes. */
  readonly notes: Output;
}

/** What can be called as `coatcheck <name>`. */
export interface Command {
  readonly summary: string;
  /** More about it, for its own help. */
  readonly details?: string;
  /** What follows its name, such as `<id>`; absent where nothing does. */
  readonly operands?: string;
  readonly options: Readonly<Record<string, CommandOption>>;
  /** Resolves to the exit code. */
  run(call: CommandCall): Promise<number>;
}
