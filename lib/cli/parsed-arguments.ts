import { parseArgs } from "node:util";
import { similarName } from "../options/reader/similar-name";
import { isSessionId } from "../record/token";
import { quoted, shownText } from "../record/shown-text";
import { UsageError } from "./usage-error";

/** An option of a command; `value` is what its argument is called in the help. */
export type CommandOption =
  | { readonly type: "boolean"; readonly short?: string; readonly help: string }
  | {
      readonly type: "string";
      readonly short?: string;
      readonly value: string;
      /** The values that it may have; absent where it may have any. */
      readonly values?: readonly string[];
      readonly help: string;
    };

export type CommandOptions = Readonly<Record<string, CommandOption>>;

/** What a command was called with: `true` for an option without a value. */
export interface ParsedArguments {
  readonly operands: readonly string[];
  readonly values: ReadonlyMap<string, string | true>;
}

type Part = NonNullable<ReturnType<typeof partsOf>>[number];
type OptionPart = Extract<Part, { kind: "option" }>;

/**
 * Reads the arguments of a command. Throws `UsageError`, which says what was meant or how it is written, for an unknown
 * option, one that lacks its value, one that takes none, and one that is there twice.
 */
export function parsedArguments(command: string, args: readonly string[], options: CommandOptions): ParsedArguments {
  const parts = partsOf(
    args.map((arg) => (arg.startsWith("-") && isSessionId(arg) ? ID_MARK + arg : arg)),
    options,
  );
  const values = new Map<string, string | true>();
  const operands: string[] = [];
  for (const part of parts) {
    if (part.kind === "positional") operands.push(unmarked(part.value));
    if (part.kind !== "option") continue;
    const value = valueOf(command, part, options);
    if (values.has(part.name) && value !== true) throw new UsageError(`--${part.name} is given twice; give it once.`);
    values.set(part.name, value);
  }
  return { operands, values };
}

/** One id in 64 begins with a dash, and would be read as an option. No argument can have this character. */
const ID_MARK = "\0";

function unmarked(text: string): string {
  return text.startsWith(ID_MARK) ? text.slice(ID_MARK.length) : text;
}

function partsOf(args: readonly string[], options: CommandOptions) {
  const parsed = parseArgs({
    args: [...args],
    options: Object.fromEntries(Object.entries(options).map(([name, spec]) => [name, parsedAs(spec)])),
    allowPositionals: true,
    // Our own messages say what is wrong.
    strict: false,
    tokens: true,
  });
  return parsed.tokens;
}

function parsedAs({ type, short }: CommandOption) {
  return short === undefined ? { type } : { type, short };
}

function valueOf(command: string, part: OptionPart, options: CommandOptions): string | true {
  const { name, rawName, inlineValue } = part;
  const value = part.value === undefined ? undefined : unmarked(part.value);
  const spec = Object.hasOwn(options, name) ? options[name] : undefined;
  if (spec === undefined) throw new UsageError(unknownText(command, rawName, options));
  if (spec.type === "boolean") {
    if (value === undefined) return true;
    throw new UsageError(`--${name} takes no value; write --${name} alone.`);
  }
  if (value === undefined) throw new UsageError(`--${name} needs a value: --${name} ${spec.value}.`);
  if (!inlineValue && value.startsWith("-") && value.length > 1) {
    throw new UsageError(
      `--${name} needs a value, and ${quoted(value)} looks like an option; if it is the value, write --${name}=…`,
    );
  }
  if (spec.values === undefined || spec.values.includes(value)) return value;
  throw new UsageError(wrongValueText(name, value, spec.values));
}

function unknownText(command: string, rawName: string, options: CommandOptions): string {
  const given = `coatcheck ${command} has no option ${shownText(rawName)}`;
  const meant = rawName.startsWith("--") ? similarName(rawName.slice(2), Object.keys(options)) : undefined;
  return meant === undefined
    ? `${given}; coatcheck ${command} --help lists its options.`
    : `${given}; did you mean --${meant}?`;
}

function wrongValueText(name: string, value: string, values: readonly string[]): string {
  const meant = similarName(value, values);
  const hint = meant === undefined ? "" : `; did you mean ${meant}?`;
  return `--${name} takes ${alternatives(values)}, not ${quoted(value)}${hint === "" ? "." : hint}`;
}

/** "a, b or c". */
export function alternatives(words: readonly string[]): string {
  return [words.slice(0, -1).join(", "), ...words.slice(-1)].filter((part) => part !== "").join(" or ");
}
