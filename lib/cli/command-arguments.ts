import { isSessionId } from "../record/token";
import { GUEST_USER, UNAUTHENTICATED } from "../record/session-record";
import { quoted } from "../record/shown-text";
import { parsedArguments } from "./parsed-arguments";
import type { CommandOption, CommandOptions, ParsedArguments } from "./parsed-arguments";
import { UsageError } from "./usage-error";

/** The options of every command that works on sessions. */
export const COMMON_OPTIONS = {
  store: {
    type: "string",
    value: "ADDRESS",
    help: "where the sessions are, written as in COATCHECK_STORE: redis://…, postgres://…, sqlite:DIR or datastore:",
  },
  path: { type: "string", value: "DIR", help: "the folder of an embedded store: short for --store sqlite:DIR" },
  json: { type: "boolean", help: "prints JSON" },
} as const satisfies CommandOptions;

export const USER_OPTION: CommandOption = {
  type: "string",
  value: "USER",
  help: 'only the sessions of this user; "Unauthenticated" for those of guests',
};

export const PROJECT_OPTION: CommandOption = {
  type: "string",
  value: "PROJECT",
  help: "only the sessions of this project",
};

export const HELP_OPTION: CommandOption = { type: "boolean", short: "h", help: "prints this text" };

/** The arguments that a command was called with. */
export class CommandArguments {
  /** The arguments that are not options. */
  readonly operands: readonly string[];
  readonly #values: ParsedArguments["values"];

  /** Throws `UsageError` for arguments that the command does not take. */
  constructor(command: string, args: readonly string[], options: CommandOptions) {
    ({ operands: this.operands, values: this.#values } = parsedArguments(command, args, options));
  }

  flag(name: string): boolean {
    return this.#values.has(name);
  }

  /** The value of an option; undefined where it was not given. */
  text(name: string): string | undefined {
    const value = this.#values.get(name);
    return value === true ? undefined : value;
  }

  /** The value of an option as a whole number, 1 or more. Throws `UsageError` for anything else. */
  count(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const count = Number(text);
    if (/^\d+$/.test(text) && Number.isSafeInteger(count) && count > 0) return count;
    throw new UsageError(`--${name} takes a whole number, 1 or more, not ${quoted(text)}.`);
  }

  /**
   * The `--user`, as `SessionInfo` names it. An empty one, as an unset variable gives, throws `UsageError`: it must not
   * mean everybody.
   */
  username(): string | undefined {
    const user = this.text("user");
    if (user === "") throw new UsageError("--user takes a user id, not an empty string.");
    return user === GUEST_USER ? UNAUTHENTICATED : user;
  }

  /** The operands as session ids, without repetitions. Throws `UsageError` for any that is not one. */
  sessionIds(): string[] {
    const wrong = this.operands.find((operand): boolean => !isSessionId(operand));
    if (wrong === undefined) return [...new Set(this.operands)];
    throw new UsageError(
      `${quoted(wrong)} is not a session id, which has 43 characters of base64url; coatcheck list shows the ids.`,
    );
  }

  /** Throws `UsageError` where there are operands. */
  assertNoOperands(command: string): void {
    if (this.operands.length === 0) return;
    throw new UsageError(`coatcheck ${command} takes options only, not ${quoted(this.operands[0] ?? "")}.`);
  }
}
