import { SessionError } from "../../errors";
import { shownText } from "../../record/shown-text";
import { isPlainObject } from "./plain-object";
import { RefusedOptions, refuse } from "./refused-options";
import { similarName } from "./similar-name";

/** Reads the value of one option; undefined where it was not given. Throws `RefusedOptions` for what it can't be. */
export type ReadOption<T> = (value: unknown, option: string) => T;

export type OptionEntries = Readonly<Record<string, ReadOption<unknown>>>;

/** The options of one kind: an entry is one option. */
export interface OptionTable<Entries extends OptionEntries> {
  /** Whose options they are, such as "SqliteStore"; absent for those of `Sessions`. */
  readonly of?: string;
  /** What stands before their names, such as "cookie."; default nothing. */
  readonly prefix?: string;
  /** What is to be given, as code. */
  readonly example: string;
  readonly entries: Entries;
  /** What other libraries call theirs, and what to write here instead. */
  readonly foreign: ReadonlyMap<string, string>;
}

/** The options with their defaults. */
export type ReadOptions<Entries extends OptionEntries> = {
  readonly [Name in keyof Entries]: ReturnType<Entries[Name]>;
};

/** What has to be right of several options together; one that was refused by itself is absent. */
type Together<Entries extends OptionEntries> = (read: Partial<ReadOptions<Entries>>) => void;

/** Reads and checks all options. `SESSION_CONFIG` tells all that is wrong at once; it never repeats what an object of the app's holds. */
export function readOptions<Entries extends OptionEntries>(
  table: OptionTable<Entries>,
  given: unknown,
  ...together: readonly Together<Entries>[]
): ReadOptions<Entries> {
  const options = given === undefined ? {} : asOptions(table, given);
  const problems = Object.keys(options).flatMap((name) =>
    Object.hasOwn(table.entries, name) ? [] : [unknownOption(table, name)],
  );
  const read: Record<string, unknown> = {};
  for (const [name, readOne] of Object.entries(table.entries)) {
    collect(problems, () => {
      // Its own only: what was put on Object.prototype is nobody's option.
      const value = Object.hasOwn(options, name) ? options[name] : undefined;
      if (value === null) refuse(fullName(table, name), value, "leave it out for the default");
      read[name] = readOne(value, fullName(table, name));
    });
  }
  for (const check of together) collect(problems, () => check(read as Partial<ReadOptions<Entries>>));
  if (problems.length > 0) throw new RefusedOptions(problems);
  return read as ReadOptions<Entries>;
}

function collect(problems: string[], read: () => void): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof RefusedOptions)) throw error;
    problems.push(...error.problems);
  }
}

type NamedTable = Omit<OptionTable<OptionEntries>, "entries"> & { readonly entries: object };

function asOptions(table: NamedTable, given: unknown): Readonly<Record<string, unknown>> {
  if (isPlainObject(given)) return given;
  const { of = "sessionMiddleware", example } = table;
  if (isRequest(given)) {
    throw new SessionError("SESSION_CONFIG", `${of} was mounted without being called; write app.use(${of}()).`);
  }
  const hint = given instanceof Promise ? " It is a promise: await it." : "";
  // What was given instead may be a secret, as other middlewares take one here.
  throw new SessionError(
    "SESSION_CONFIG",
    `The options${ofText(table)} must be an object, such as ${example}, or nothing.${hint}`,
  );
}

/** What Express calls a function with that was to be called before. */
function isRequest(given: unknown): boolean {
  return typeof given === "object" && given !== null && "headers" in given && "method" in given;
}

function unknownOption(table: NamedTable, name: string): string {
  const is = `There is no option ${fullName(table, shownText(name))}; `;
  const instead = table.foreign.get(name);
  if (instead !== undefined) return `${is}${instead}.`;
  const known = Object.keys(table.entries);
  const meant = similarName(name, known);
  const { prefix = "" } = table;
  return meant === undefined ? `${is}the options are ${known.join(", ")}.` : `${is}did you mean ${prefix}${meant}?`;
}

function fullName(table: NamedTable, name: string): string {
  return `${table.prefix ?? ""}${name}${ofText(table)}`;
}

function ofText({ of }: NamedTable): string {
  return of === undefined ? "" : ` of ${of}`;
}
