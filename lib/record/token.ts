import { hash, randomFillSync } from "node:crypto";
import { SessionError } from "../errors";

/** The bytes of randomness in a token: 256 bits. (OWASP ASVS 7.2.3 asks for 128) */
const TOKEN_BYTES = 32;
const POOL_TOKENS = 128;

// Asking the kernel once for many tokens costs a fraction of asking for each.
const pool = Buffer.allocUnsafeSlow(TOKEN_BYTES * POOL_TOKENS);
let used = pool.length;

/** A new token: 32 random bytes, base64url. It belongs in the cookie and nowhere else. */
export function newToken(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const end = used + TOKEN_BYTES;
  const token = pool.toString("base64url", used, end);
  pool.fill(0, used, end);
  used = end;
  return token;
}

/** 43 characters of base64url; the last one carries four bits, so its two lowest must be zero (RFC 4648 §3.5). */
const TOKEN = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;

/** Whether `newToken` could have made this text. Any other text never reaches the store. */
export function isToken(text: string): boolean {
  return text.length === 43 && TOKEN.test(text);
}

const SESSION_ID = /^[A-Za-z0-9_-]{43}$/;

/**
 * The id of the session that a token opens: the token's SHA-256, base64url. From an id, read in the store or in a log,
 * nobody gets back to the cookie. (OWASP ASVS 7.2.2)
 */
export function sessionIdOf(token: string): string {
  return hash("sha256", token, "base64url");
}

/** Whether a text has the form of an id: 43 characters of base64url. */
export function isSessionId(text: unknown): text is string {
  return typeof text === "string" && SESSION_ID.test(text);
}

/** Throws `SESSION_ARGUMENT` for anything else that is given to `call`. */
export function assertSessionId(id: unknown, call: string): asserts id is string {
  if (isSessionId(id)) return;
  throw new SessionError("SESSION_ARGUMENT", `${call} takes a session's id: 43 characters of base64url.`);
}
