import { SessionError } from "../../errors";
import { kindOf, quoted } from "../../record/shown-text";

/** The longest key, in bytes of UTF-8. */
export const MAX_KEY_BYTES = 1024;

/** Refuses what can't be a key: `SESSION_ARGUMENT`. Any well-formed string of up to 1,024 bytes can, the empty one too. */
export function assertKey(key: unknown): asserts key is string {
  if (typeof key !== "string") {
    throw new SessionError("SESSION_ARGUMENT", `A session's key must be a string, not ${kindOf(key)}.`);
  }
  // A UTF-16 unit is 3 bytes of UTF-8 at most, so a short key needs no counting.
  if (key.length > MAX_KEY_BYTES / 3 && Buffer.byteLength(key) > MAX_KEY_BYTES) {
    throw new SessionError(
      "SESSION_ARGUMENT",
      `A session's key may have ${MAX_KEY_BYTES} bytes; ${quoted(key)} has ${Buffer.byteLength(key)}. Use a shorter one.`,
    );
  }
  if (!key.isWellFormed()) {
    throw new SessionError("SESSION_ARGUMENT", `The session key ${quoted(key)} is not well-formed Unicode.`);
  }
}
