import { SessionError } from "../../../errors";

/**
 * Longest name of a property, in bytes. Datastore's limit is 1,500 for the whole path; a key of 1,024 bytes fits in every
 * form below.
 */
const MAX_NAME_BYTES = 1_450;

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BASE = BigInt(DIGITS.length);

/**
 * The property that holds a map's key. Datastore refuses the empty name and `__x__`, and its property paths split at dots
 * and want some characters quoted, in ways that its documentation leaves open. So every name is an identifier
 * (`[A-Za-z][A-Za-z0-9_]*`), which no rule of quoting touches: `k_` and the key where the key is made of such characters,
 * `x_` and its UTF-8 bytes in base 62 where it is not, `w_` and UTF-16 for what UTF-8 can't say (half a surrogate pair).
 */
export function propertyName(key: string): string {
  const name = /^[A-Za-z0-9_]+$/.test(key) ? `k_${key}` : encodedName(key);
  if (name.length > MAX_NAME_BYTES) {
    throw new SessionError(
      "SESSION_ARGUMENT",
      `A key of ${Buffer.byteLength(key)} bytes is too long for Datastore; use at most 1,024 bytes.`,
    );
  }
  return name;
}

/** The key that `propertyName` made this name of; undefined where it made no such name. */
export function keyOfProperty(name: string): string | undefined {
  const rest = name.slice(2);
  if (name.startsWith("k_")) return rest;
  if (name.startsWith("x_")) return decode(rest)?.toString("utf8");
  if (name.startsWith("w_")) return decode(rest)?.toString("utf16le");
  return undefined;
}

function encodedName(key: string): string {
  const utf8 = Buffer.from(key, "utf8");
  return utf8.toString("utf8") === key ? `x_${encode(utf8)}` : `w_${encode(Buffer.from(key, "utf16le"))}`;
}

// A leading 1 keeps the zero bytes in front.
function encode(bytes: Buffer): string {
  let rest = BigInt(`0x1${bytes.toString("hex")}`);
  let text = "";
  for (; rest > 0n; rest /= BASE) text = DIGITS.charAt(Number(rest % BASE)) + text;
  return text;
}

function decode(text: string): Buffer | undefined {
  let number = 0n;
  for (const digit of text) {
    const value = DIGITS.indexOf(digit);
    if (value < 0) return undefined;
    number = number * BASE + BigInt(value);
  }
  const hex = number.toString(16);
  return hex.startsWith("1") && hex.length % 2 === 1 ? Buffer.from(hex.slice(1), "hex") : undefined;
}
