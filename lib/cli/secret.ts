import { randomBytes } from "node:crypto";

/** `coatcheck secret`: a new secret for the option `secrets`, 32 random bytes as base64url. Nothing is stored. */
export function secret(): string {
  return randomBytes(32).toString("base64url");
}
