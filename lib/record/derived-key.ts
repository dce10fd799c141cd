import { hkdfSync } from "node:crypto";

/** The key for one use of a secret: HKDF-SHA-256 with the use as its info, so that no two uses share a key. (RFC 5869) */
export function derivedKey(secret: string, use: string): Buffer {
  return Buffer.from(hkdfSync("sha256", secret, "", `coatcheck ${use}`, 32));
}
