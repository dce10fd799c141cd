import { SessionError } from "../../errors";
import { quoted, shownText, shownValue } from "../../record/shown-text";
import { similarName } from "./similar-name";

/**
 * Returns the checked value of one option, or its default where `value` is undefined. Throws `RefusedOptions`.
 * `isGiven` is whether the option was given, even as undefined.
 */
export type ReadOption<T> = (value: unknown, option: string, isGiven: boolean) => T;

/** What other libraries call an option, and what to write here instead. */
export type ForeignNames = Readonly<Record<string, string>>;

/** Everything about one option, except its docstring for users, which is on the property of the same name. */
export interface Option<T = unknown> {
  /** Its default and its check. */
  readonly read: ReadOption<T>;
  /** The name of the value once it is read, with its unit, such as `idleMs`. Absent: the option's own name. */
  readonly as?: string;
  readonly foreign?: ForeignNames;
}

export type Options = Readonly<Record<string, Option>>;

/** The options of one object. */
export interface OptionTable<Entries extends Options> {
  /** Whose options they are, such as "SqliteStore"; absent for those of `Sessions`. */
  readonly of?: string;
  /** What stands before their names, such as "cookie."; absent for nothing. */
  readonly prefix?: string;
  /** What should be given, as code. */
  readonly example: string;
  readonly options: Entries;
  /** Other libraries' names for what is no option here, and what to do instead. */
  readonly foreign?: ForeignNames;
}

/** The values of all options of a table. */
export type ReadOptions<Entries extends Options> = {
  readonly [
    Name in keyof Entries as Entries[Name] extends { readonly as: infer As extends string } ? As : Name
  ]: ReturnType<Entries[Name]["read"]>;
};

/**
 * Checks options that depend on each other; an option that was refused by itself is absent. Throws `RefusedOptions`.
 */
type CheckTogether<Entries extends Options> = (read: Partial<ReadOptions<Entries>>) => void;

/**
 * Reads and checks all options of an object. `SESSION_CONFIG` names everything that is wrong at once, and never repeats
 * what is in the fields of an app's object.
 */
export function readOptions<const Entries extends Options>(
  table: OptionTable<Entries>,
  given: unknown,
  ...checks: readonly CheckTogether<Entries>[]
): ReadOptions<Entries> {
  const options = given === undefined ? {} : asOptions(table, given);
  const problems = Object.keys(options).flatMap((name) =>
    Object.hasOwn(table.options, name) ? [] : [unknownOption(table, name)],
  );
  const values: Record<string, unknown> = {};
  for (const [name, { read, as = name }] of Object.entries(table.options)) {
    collect(problems, () => {
      // Its own properties only: what was put on Object.prototype is nobody's option.
      const isGiven = Object.hasOwn(options, name);
      const value = isGiven ? options[name] : undefined;
      if (value === null) refuse(fullName(table, name), value, "leave it out for the default");
      values[as] = read(value, fullName(table, name), isGiven);
    });
  }
  for (const check of checks) collect(problems, () => check(values as Partial<ReadOptions<Entries>>));
  if (problems.length > 0) throw new RefusedOptions(problems);
  return values as ReadOptions<Entries>;
}

/** `SESSION_CONFIG`, with everything that is wrong: a sentence for each option. */
export class RefusedOptions extends SessionError {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    const [first = "", ...others] = problems;
    super(
      "SESSION_CONFIG",
      others.length === 0 ? first : `${problems.length} options can't be used:\n- ${problems.join("\n- ")}`,
    );
    this.problems = problems;
  }
}

/** Refuses an option: names it, echoes the value, and says what to write instead. */
export function refuse(option: string, value: unknown, instead: string): never {
  throw new RefusedOptions([`Option ${option} can't be ${shownValue(value)}; ${instead}.`]);
}

/**
 * Checks the options of a call: an object that has none but the `known` ones. Throws `SESSION_ARGUMENT`: a misspelt
 * option would have no effect, and nobody would notice. `call` is what the message calls the call; `notAnObject` is the
 * message for anything but an object.
 */
export function assertCallOptions(
  given: unknown,
  known: readonly string[],
  call: string,
  notAnObject: string,
): asserts given is Readonly<Record<string, unknown>> {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw new SessionError("SESSION_ARGUMENT", notAnObject);
  }
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const meant = similarName(unknown, known);
  const hint = meant === undefined ? `it takes ${known.join(", ")}.` : `did you mean ${meant}?`;
  throw new SessionError("SESSION_ARGUMENT", `${call} has no option ${quoted(unknown)}; ${hint}`);
}

/** Whether it is an object with fields of its own: no array, no Map, and no store given in place of options. */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return false;
  const above: unknown = Object.getPrototypeOf(value);
  return above === null || Object.getPrototypeOf(above) === null;
}

function collect(problems: string[], read: () => void): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof RefusedOptions)) throw error;
    problems.push(...error.problems);
  }
}

type AnyTable = OptionTable<Options>;

function asOptions(table: AnyTable, given: unknown): Readonly<Record<string, unknown>> {
  if (isPlainObject(given)) return given;
  const { of = "sessionMiddleware", example } = table;
  if (isRequest(given)) {
    throw new SessionError("SESSION_CONFIG", `${of} was mounted without being called; write app.use(${of}()).`);
  }
  const hint = given instanceof Promise ? " It is a promise: await it." : "";
  // The value is not repeated: it may be a secret, which other middlewares take here.
  throw new SessionError(
    "SESSION_CONFIG",
    `The options${ofText(table)} must be an object, such as ${example}, or nothing.${hint}`,
  );
}

/** Express calls with a request what should have been called with options first. */
function isRequest(given: unknown): boolean {
  return typeof given === "object" && given !== null && "headers" in given && "method" in given;
}

function unknownOption(table: AnyTable, name: string): string {
  const is = `There is no option ${fullName(table, shownText(name))}; `;
  const instead = foreignNames(table).get(name);
  if (instead !== undefined) return `${is}${instead}.`;
  const known = Object.keys(table.options);
  const meant = similarName(name, known);
  const { prefix = "" } = table;
  return meant === undefined ? `${is}the options are ${known.join(", ")}.` : `${is}did you mean ${prefix}${meant}?`;
}

function foreignNames({ options, foreign }: AnyTable): ReadonlyMap<string, string> {
  const each = [foreign, ...Object.values(options).map((option) => option.foreign)];
  return new Map(each.flatMap((names) => Object.entries(names ?? {})));
}

function fullName(table: AnyTable, name: string): string {
  return `${table.prefix ?? ""}${name}${ofText(table)}`;
}

function ofText({ of }: AnyTable): string {
  return of === undefined ? "" : ` of ${of}`;
}
