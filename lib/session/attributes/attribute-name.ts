import { SessionError } from "../../errors";
import { kindOf, quoted } from "../../record/shown-text";

/** The longest name of an attribute, in characters (Unicode code points). */
export const MAX_NAME_CHARACTERS = 191;

const CONTROL = /\p{Cc}/u;

/** Refuses what can't be an attribute's name: `SESSION_ARGUMENT`. */
export function assertAttributeName(name: unknown): asserts name is string {
  if (typeof name !== "string") throw refused(`must be a string, not ${kindOf(name)}`);
  if (name === "") throw refused(`has 1 to ${MAX_NAME_CHARACTERS} characters, and this one is empty`);
  // A character has two UTF-16 units at most, so most names need no counting, and nobody has us count a megabyte.
  if (name.length > MAX_NAME_CHARACTERS) {
    const characters = name.length > 2 * MAX_NAME_CHARACTERS ? name.length : Array.from(name).length;
    if (characters > MAX_NAME_CHARACTERS) {
      throw refused(`may have ${MAX_NAME_CHARACTERS} characters, and this one has ${name.length}; use a shorter one`);
    }
  }
  if (!name.isWellFormed()) throw refused(`must be well-formed Unicode, and ${quoted(name)} is not`);
  const control = CONTROL.exec(name);
  if (control !== null) {
    const code = control[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, "0");
    throw refused(`may hold no control characters, and this one has U+${code} at position ${control.index}`);
  }
}

function refused(what: string): SessionError {
  return new SessionError("SESSION_ARGUMENT", `The name of an attribute ${what}.`);
}
