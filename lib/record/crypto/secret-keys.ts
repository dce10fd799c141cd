import { createHmac } from "node:crypto";

/** No salt is as many zeros as SHA-256 has bytes. */
const NO_SALT = Buffer.alloc(32);
/** The number of the only block that a key of 32 bytes takes. */
const FIRST_BLOCK = Buffer.of(1);

/**
 * The keys of one secret: each use has its own, so that no two uses share a key. HKDF with SHA-256 and no salt (RFC
 * 5869); its first step (extract) is done once for all keys of the secret.
 *
 * Node's own `hkdfSync` leaves a resource behind until it is collected, which `jest --detectOpenHandles` may report as
 * an app's open handle.
 */
export class SecretKeys {
  readonly #pseudoRandomKey: Buffer;

  constructor(secret: string) {
    this.#pseudoRandomKey = createHmac("sha256", NO_SALT).update(secret).digest();
  }

  /** The key for this use: 32 bytes. */
  key(use: string): Buffer {
    return createHmac("sha256", this.#pseudoRandomKey).update(`coatcheck ${use}`).update(FIRST_BLOCK).digest();
  }
}

/** The one key of a secret that has a single use. */
export function derivedKey(secret: string, use: string): Buffer {
  return new SecretKeys(secret).key(use);
}
