import { createHmac } from "node:crypto";

const NO_SALT = Buffer.alloc(32);

/**
 * The key of 32 bytes for one use of a secret, so that no two uses share a key: HKDF with SHA-256 and no salt, of which one block is needed. (RFC 5869)
 *
 * Node's own `hkdfSync` leaves a resource behind until it is collected, which `jest --detectOpenHandles` may name as an app's open handle.
 */
export function derivedKey(secret: string, use: string): Buffer {
  const key = createHmac("sha256", NO_SALT).update(secret).digest();
  return createHmac("sha256", key).update(`coatcheck ${use}\u0001`).digest();
}
