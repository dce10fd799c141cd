import { createHmac } from "node:crypto";

const SHA256_BYTES = 32;
/** The only block that 32 bytes take. */
const FIRST_BLOCK = Buffer.of(1);

/**
 * The keys of one secret, by use: the same as `derivedKey` gives (HKDF-SHA-256, RFC 5869), for those of which many are
 * needed. The first step of HKDF (extract) is done once for all of them.
 */
export class SecretKeys {
  readonly #pseudoRandomKey: Buffer;

  constructor(secret: string) {
    this.#pseudoRandomKey = createHmac("sha256", Buffer.alloc(SHA256_BYTES)).update(secret).digest();
  }

  /** 32 bytes; another use has another key. */
  key(use: string): Buffer {
    return createHmac("sha256", this.#pseudoRandomKey).update(`coatcheck ${use}`).update(FIRST_BLOCK).digest();
  }
}
