import { randomFillSync } from "node:crypto";

const KEY_BYTES = 32;
const KEY_LENGTH = 43;
const MASKED_LENGTH = 86;

/**
 * A key as it goes into a page: a one-time pad, and the key under it, base64url. A key that came back the same in every compressed
 * page could be guessed letter by letter from the pages' lengths. (BREACH, Gluck, Harris and Prado 2013, "Masking secrets"; Django and
 * Rails do so)
 */
export function maskedKey(key: string): string {
  const bytes = Buffer.allocUnsafe(2 * KEY_BYTES);
  randomFillSync(bytes, 0, KEY_BYTES);
  bytes.write(key, KEY_BYTES, "base64url");
  xor(bytes.subarray(KEY_BYTES), bytes);
  return bytes.toString("base64url");
}

/** The 32 bytes of a key, plain or masked; undefined for whatever is neither. */
export function unmaskedKey(given: unknown): Buffer | undefined {
  if (typeof given !== "string" || (given.length !== KEY_LENGTH && given.length !== MASKED_LENGTH)) return undefined;
  const bytes = Buffer.from(given, "base64url");
  // Node passes over what is no base64url: only what would be written the same was well formed.
  if (bytes.toString("base64url") !== given) return undefined;
  if (given.length === KEY_LENGTH) return bytes;
  const key = bytes.subarray(KEY_BYTES);
  xor(key, bytes);
  return key;
}

function xor(target: Buffer, pad: Buffer): void {
  for (let i = 0; i < target.length; i += 1) target[i] = (target[i] ?? 0) ^ (pad[i] ?? 0);
}
