import { randomFillSync } from "node:crypto";

/** 96 bits, the length that GCM is made for. (NIST SP 800-38D §5.2.1.1) */
export const NONCE_BYTES = 12;
const POOL_NONCES = 256;

// Asking the kernel once for many nonces costs a fraction of asking for each. They are no secret.
const pool = Buffer.allocUnsafeSlow(NONCE_BYTES * POOL_NONCES);
let used = pool.length;

/** Writes a new random nonce to `target`, at `offset`. */
export function writeNonce(target: Uint8Array, offset: number): void {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  pool.copy(target, offset, used, (used += NONCE_BYTES));
}
