import { hash } from "node:crypto";

const SESSION_ID = /^[A-Za-z0-9_-]{43}$/;

/**
 * The id that belongs to a token: its SHA-256, base64url. Whoever reads an id, in the store or in a log, can't get back
 * to the cookie. (OWASP ASVS 7.2.2)
 */
export function sessionIdOf(token: string): string {
  return hash("sha256", token, "base64url");
}

/** Whether a text has the form of an id: 43 characters of base64url. */
export function isSessionId(text: unknown): text is string {
  return typeof text === "string" && SESSION_ID.test(text);
}
