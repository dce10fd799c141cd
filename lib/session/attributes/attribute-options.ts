import { SessionError } from "../../errors";
import { assertCallOptions } from "../../options/reader/read-options";
import type { Duration } from "../../record/duration";
import { shownValue } from "../../record/shown-text";
import { expiresInMs } from "../expires-in";

/** How an attribute is kept. */
export interface AttributeOptions {
  /**
   * How long it lives from now on, at most as long as its session. Milliseconds, or a string such as `"10m"`; `Infinity` for as long as the
   * session. Default: as before, for a new one `Infinity`.
   */
  readonly expiresIn?: Duration | undefined;
  /** Whether its value is encrypted in the store, for which the option `secrets` is needed. Default: as before, for a new one false. */
  readonly encrypt?: boolean | undefined;
}

/** One of several attributes to write; its own options count before those of the call. */
export interface AttributeItem extends AttributeOptions {
  readonly name: string;
  readonly value: unknown;
}

/** The options as they were checked; undefined for what was not given. */
export interface ReadOptions {
  readonly lifeMs: number | undefined;
  readonly encrypt: boolean | undefined;
}

const OPTIONS = ["expiresIn", "encrypt"];
const ITEM = ["name", "value", ...OPTIONS];
const NOT_OPTIONS = "The options of an attribute must be an object of expiresIn, encrypt.";
const NOT_AN_ITEM = "An attribute to write must be an object of name, value, expiresIn, encrypt.";

/** Checks options: `SESSION_ARGUMENT`, or a RangeError for `expiresIn`. An unknown name is refused: an expiry that was misspelt would be none. */
export function readOptions(given: unknown): ReadOptions {
  assertCallOptions(given, OPTIONS, "An attribute", NOT_OPTIONS);
  return optionsOf(given);
}

/** Checks the shape of one item, and its options; its name and value are the caller's to check. */
export function readItem(given: unknown, defaults: ReadOptions): ReadOptions & { name: unknown; value: unknown } {
  assertCallOptions(given, ITEM, "An attribute to write", NOT_AN_ITEM);
  if (!("value" in given)) throw refused("An attribute to write", "needs a value; to remove one use deleteMany(names)");
  const { lifeMs = defaults.lifeMs, encrypt = defaults.encrypt } = optionsOf(given);
  return { name: given.name, value: given.value, lifeMs, encrypt };
}

type Fields = Readonly<Record<string, unknown>>;

function optionsOf({ expiresIn, encrypt }: Fields): ReadOptions {
  if (encrypt !== undefined && typeof encrypt !== "boolean") {
    throw refused("The option encrypt of an attribute", `is true or false, not ${shownValue(encrypt)}`);
  }
  return { lifeMs: expiresIn === undefined ? undefined : expiresInMs(expiresIn), encrypt };
}

function refused(what: string, why: string): SessionError {
  return new SessionError("SESSION_ARGUMENT", `${what} ${why}.`);
}
