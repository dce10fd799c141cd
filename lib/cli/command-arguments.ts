import { parseArgs } from "node:util";
import { isSessionId } from "../record/session-id";
import { quoted } from "../record/shown-text";
import type { CommandOption } from "./command";
import { UsageError } from "./usage-error";

/** What a command was called with. */
export class CommandArguments {
  /** What is not an option. */
  readonly operands: readonly string[];
  readonly #values: Readonly<Record<string, unknown>>;

  /** Throws `UsageError` for options that are not among these, or lack their value. */
  constructor(args: readonly string[], options: Readonly<Record<string, CommandOption>>) {
    // One id in 64 begins with a dash, and would be read as an option.
    const isDashed = (arg: string) => arg.startsWith("-") && isSessionId(arg);
    try {
      const parsed = parseArgs({
        args: args.filter((arg) => !isDashed(arg)),
        options: Object.fromEntries(Object.entries(options).map(([name, spec]) => [name, parsedAs(spec)])),
        allowPositionals: true,
      });
      this.operands = [...parsed.positionals, ...args.filter(isDashed)];
      this.#values = parsed.values;
    } catch (error) {
      if (error instanceof Error && "code" in error) throw new UsageError(error.message, { cause: error });
      throw error;
    }
  }

  flag(name: string): boolean {
    return this.#values[name] === true;
  }

  /** The value of an option; undefined where it was not given. */
  text(name: string): string | undefined {
    const value = this.#values[name];
    return typeof value === "string" ? value : undefined;
  }

  /** A whole number, 1 or more. Throws `UsageError` for anything else. */
  count(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const count = Number(text);
    if (/^\d+$/.test(text) && Number.isSafeInteger(count) && count > 0) return count;
    throw new UsageError(`--${name} takes a whole number, 1 or more, not ${quoted(text)}.`);
  }

  /** The ids of sessions among the operands, each once. Throws `UsageError` for what is none. */
  sessionIds(): string[] {
    const wrong = this.operands.find((operand): boolean => !isSessionId(operand));
    if (wrong === undefined) return [...new Set(this.operands)];
    throw new UsageError(
      `A session's id has 43 characters of base64url, and ${quoted(wrong)} is none; see coatcheck list.`,
    );
  }

  /** Throws `UsageError` where there are operands. */
  assertNoOperands(command: string): void {
    if (this.operands.length === 0) return;
    throw new UsageError(`coatcheck ${command} takes options only, not ${quoted(this.operands[0] ?? "")}.`);
  }
}

function parsedAs({ type, short }: CommandOption) {
  return short === undefined ? { type } : { type, short };
}
