import { randomFillSync } from "node:crypto";

const KEY_BYTES = 32;
const KEY_LENGTH = 43;
const MASKED_LENGTH = 86;

/**
 * A security key as it goes into a page: a one-time pad and the key under it, base64url. A key that is the same in
 * every compressed page could be guessed letter by letter from the lengths of the pages. (BREACH: Gluck, Harris and
 * Prado 2013, "Masking secrets"; as in Django and Rails)
 */
export function maskedKey(key: string): string {
  const bytes = Buffer.allocUnsafe(2 * KEY_BYTES);
  randomFillSync(bytes, 0, KEY_BYTES);
  bytes.write(key, KEY_BYTES, "base64url");
  xor(bytes.subarray(KEY_BYTES), bytes);
  return bytes.toString("base64url");
}

/** The 32 bytes of a security key, plain or masked; undefined for anything else. */
export function unmaskedKey(given: unknown): Buffer | undefined {
  if (typeof given !== "string" || (given.length !== KEY_LENGTH && given.length !== MASKED_LENGTH)) return undefined;
  const bytes = Buffer.from(given, "base64url");
  // Node skips what is not base64url, so only a text that would be written the same was well formed.
  if (bytes.toString("base64url") !== given) return undefined;
  if (given.length === KEY_LENGTH) return bytes;
  const key = bytes.subarray(KEY_BYTES);
  xor(key, bytes);
  return key;
}

function xor(target: Buffer, pad: Buffer): void {
  for (let i = 0; i < target.length; i += 1) target[i] = (target[i] ?? 0) ^ (pad[i] ?? 0);
}
