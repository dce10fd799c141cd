import { SessionError } from "../../errors";
import { assertCallOptions } from "../../options/reader/read-options";
import { expiresInMs } from "../../record/duration";
import type { Duration } from "../../record/duration";
import { kindOf, quoted, shownValue } from "../../record/shown-text";
import { encodeValue } from "../../record/value/value-encoding";
import type { AttributeDraft } from "./attribute-values";

/** How an attribute is kept. */
export interface AttributeOptions {
  /**
   * How long it lives from now on, at most as long as its session. Milliseconds, or a string such as `"10m"`;
   * `Infinity` for as long as the session. Default: unchanged; `Infinity` for a new one.
   */
  readonly expiresIn?: Duration | undefined;
  /**
   * Whether its value is encrypted in the store, which needs the option `secrets`. Default: unchanged; false for a new
   * one.
   */
  readonly encrypt?: boolean | undefined;
}

/** One of several attributes to write; its own options override those of the call. */
export interface AttributeItem extends AttributeOptions {
  /** The name of the attribute: 1 to 191 characters. */
  readonly name: string;
  /** Its value: whatever a session can hold. */
  readonly value: unknown;
}

/** The options of an attribute, checked; undefined for what was not given. */
interface KeptAs {
  readonly lifeMs: number | undefined;
  readonly encrypt: boolean | undefined;
}

const OPTIONS = ["expiresIn", "encrypt"];
const ITEM = ["name", "value", ...OPTIONS];
const NOT_OPTIONS = "The options of an attribute must be an object such as { expiresIn, encrypt }.";
const NOT_AN_ITEM = "An attribute to write must be an object such as { name, value, expiresIn, encrypt }.";

/**
 * Checks what is to be written, and encodes the values as they are now. Throws `SESSION_ARGUMENT`, also for an unknown
 * option, since a misspelt expiry would be none; `SESSION_VALUE`; a RangeError for `expiresIn`.
 */
export function readDrafts(items: unknown, defaults: unknown): AttributeDraft[] {
  if (!Array.isArray(items)) throw refused("Give attributes to write as an array of { name, value }.");
  assertCallOptions(defaults, OPTIONS, "An attribute", NOT_OPTIONS);
  const byDefault = keptAs(defaults);
  const drafts = new Map<string, AttributeDraft>();
  for (const item of items as readonly unknown[]) {
    const draft = readDraft(item, byDefault);
    if (drafts.has(draft.name)) throw refused(`The attribute ${quoted(draft.name)} is given twice in one call.`);
    drafts.set(draft.name, draft);
  }
  return [...drafts.values()];
}

function readDraft(item: unknown, byDefault: KeptAs): AttributeDraft {
  assertCallOptions(item, ITEM, "An attribute to write", NOT_AN_ITEM);
  if (!("value" in item)) throw refused("An attribute to write needs a value; to remove one use deleteMany(names).");
  const { lifeMs = byDefault.lifeMs, encrypt = byDefault.encrypt } = keptAs(item);
  const { name, value } = item;
  assertAttributeName(name);
  return { name, encoded: encodeValue(name, value), lifeMs, encrypt };
}

function keptAs({ expiresIn, encrypt }: Readonly<Record<string, unknown>>): KeptAs {
  if (encrypt !== undefined && typeof encrypt !== "boolean") {
    throw refused(`The option encrypt of an attribute is true or false, not ${shownValue(encrypt)}.`);
  }
  return { lifeMs: expiresIn === undefined ? undefined : expiresInMs(expiresIn), encrypt };
}

/** The longest name of an attribute, in characters (Unicode code points). */
export const MAX_NAME_CHARACTERS = 191;

const CONTROL = /\p{Cc}/u;

/** Refuses what can't be an attribute's name: `SESSION_ARGUMENT`. */
export function assertAttributeName(name: unknown): asserts name is string {
  if (typeof name !== "string") throw wrongName(`must be a string, not ${kindOf(name)}`);
  if (name === "") throw wrongName(`has 1 to ${MAX_NAME_CHARACTERS} characters, and this one is empty`);
  // A character has at most two UTF-16 units: most names need no counting, and nobody can make us count a megabyte.
  if (name.length > MAX_NAME_CHARACTERS) {
    const characters = name.length > 2 * MAX_NAME_CHARACTERS ? name.length : Array.from(name).length;
    if (characters > MAX_NAME_CHARACTERS) {
      throw wrongName(`may have ${MAX_NAME_CHARACTERS} characters, and this one has ${name.length}; use a shorter one`);
    }
  }
  if (!name.isWellFormed()) throw wrongName(`must be well-formed Unicode, and ${quoted(name)} is not`);
  const control = CONTROL.exec(name);
  if (control !== null) {
    const code = control[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, "0");
    throw wrongName(`may have no control characters, and this one has U+${code} at position ${control.index}`);
  }
}

/** Refuses what is not an array of attributes' names: `SESSION_ARGUMENT`. */
export function assertAttributeNames(names: unknown): asserts names is readonly string[] {
  if (!Array.isArray(names)) throw refused("Give the names of attributes as an array.");
  names.forEach(assertAttributeName);
}

type Attributes = Readonly<Record<string, unknown>>;

/** Throws `ATTRIBUTE_EXISTS` where the session has one of these attributes. */
export function assertNoneExists(names: readonly string[], attributes: Attributes): void {
  const existing = names.filter((name) => attributes[name] !== undefined);
  if (existing.length === 0) return;
  throw new SessionError(
    "ATTRIBUTE_EXISTS",
    `The session has ${list(existing)} already; use set to replace what is there.`,
  );
}

/** Throws `ATTRIBUTE_NOT_FOUND` where the session lacks one of these attributes, and names those that it lacks. */
export function assertAllExist(names: readonly string[], attributes: Attributes): void {
  const missing = names.filter((name) => attributes[name] === undefined);
  if (missing.length === 0) return;
  throw new SessionError(
    "ATTRIBUTE_NOT_FOUND",
    `The session has no ${list(missing)} (any more); use set to write what may be absent.`,
  );
}

/** How many names a message lists. */
const MAX_LISTED = 10;

function list(names: readonly string[]): string {
  const listed = names.slice(0, MAX_LISTED).map((name) => quoted(name));
  const more = names.length - listed.length;
  return `attribute ${listed.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

function wrongName(what: string): SessionError {
  return refused(`The name of an attribute ${what}.`);
}

function refused(message: string): SessionError {
  return new SessionError("SESSION_ARGUMENT", message);
}
