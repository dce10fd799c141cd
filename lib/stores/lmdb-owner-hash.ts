import { hash } from "node:crypto";

/** Hexadecimal: 52 bits, which a number holds. */
export const OWNER_DIGITS = 13;

/** Any owner in a number; who reads compares the owner, so that two of one hash stay apart. */
export function ownerHash(owner: string): number {
  return parseInt(hash("sha256", owner, "hex").slice(0, OWNER_DIGITS), 16);
}

/** What the keys of an owner begin with. */
export function ownerPrefix(owner: number): string {
  return owner.toString(16).padStart(OWNER_DIGITS, "0");
}
