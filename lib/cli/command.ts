import type { CommandArguments } from "./command-arguments";
import type { CommandOptions } from "./parsed-arguments";
import type { Output, Streams } from "./terminal";

/** What can be called as `coatcheck <name>`. */
export interface Command {
  /** What it does, after "It": a verb comes first. */
  readonly summary: string;
  /** More about it, for its own help. */
  readonly details?: string;
  /** What follows its name, such as `<id>`; absent where nothing does. */
  readonly operands?: string;
  /** The words that the operand may be; absent where it may be any. */
  readonly operandValues?: readonly string[];
  readonly options: CommandOptions;
  /** Resolves to the exit code. */
  run(call: CommandCall): Promise<number>;
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

/** The exit codes of the process. */
export const EXIT_CODE = {
  ok: 0,
  /** The command failed, or did only a part of its work. */
  failure: 1,
  /** The arguments make no sense; nothing was done. */
  usage: 2,
  /** A user was named who has no sessions. */
  noSessions: 3,
} as const;
