import { inspect } from "node:util";

/** The longest foreign text in a message, in characters. */
const MAX_SHOWN = 200;
/**
 * What has the form of a token, or is longer. An id has that form too; since only the caller knows which it is, neither
 * is repeated.
 */
const TOKENS = /[\w-]{43,}/g;
/** Control and format characters, line separators, and halves of characters. */
export const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/**
 * Foreign text, as an error message may contain it: what could move a cursor or break a line of a log is escaped
 * (CWE-117, CWE-150), the middle of a long text is left out, and what has the form of a token is not repeated.
 */
export function shownText(text: string): string {
  return shortened(withoutTokens(text)).replace(UNPRINTABLE, escaped);
}

/** The same in quotes. */
export function quoted(text: string): string {
  return JSON.stringify(shortened(withoutTokens(text))).replace(UNPRINTABLE, escaped);
}

/** The beginning says what it is, and the end of a path says where. */
function shortened(text: string): string {
  if (text.length <= MAX_SHOWN) return text;
  const half = MAX_SHOWN / 2;
  return `${text.slice(0, half - 1)}…${text.slice(-half)}`;
}

function withoutTokens(text: string): string {
  return text.replace(TOKENS, "…");
}

/** The escape of a character. */
export function escaped(char: string): string {
  return `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`;
}

/** The kind of a value, with its article: `an object`, `undefined`. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return "an array";
  return `${typeof value === "object" ? "an" : "a"} ${typeof value}`;
}

/** A given value, as far as a message may repeat it: of an object only its kind, since any field may be a secret. */
export function shownValue(value: unknown): string {
  switch (typeof value) {
    case "string":
      return inspect(shortened(withoutTokens(withoutCredentials(value)))).replace(UNPRINTABLE, escaped);
    case "bigint":
      return `${value}n`;
    case "function":
      return shownFunction(value);
    case "object":
      return value === null || Array.isArray(value) ? kindOf(value) : shownObject(value);
    case "symbol":
      return "a symbol";
    default:
      return String(value);
  }
}

function shownFunction(given: object): string {
  const kind = isClass(given) ? "class" : "function";
  const name: unknown = Reflect.get(given, "name");
  return typeof name === "string" && name !== "" ? `the ${kind} ${shownText(name)}` : `a ${kind}`;
}

function shownObject(given: object): string {
  const above: unknown = Object.getPrototypeOf(given);
  const maker: unknown = above === null ? undefined : Reflect.get(above as object, "constructor");
  if (typeof maker !== "function" || maker.name === "" || maker.name === "Object") return "an object";
  return `an instance of ${shownText(maker.name)}`;
}

/** Whether it is a class, which can only be called with `new`. */
export function isClass(given: unknown): boolean {
  return typeof given === "function" && /^class\b/.test(Function.prototype.toString.call(given));
}

/** An address may contain a user and a password, or a key in its query. */
function withoutCredentials(text: string): string {
  return /[@?]/.test(text) ? text.replace(/^([a-z][a-z\d+.-]*:\/\/).*/is, "$1…") : text;
}
