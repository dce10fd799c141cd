import { UNPRINTABLE, escaped } from "../record/shown-text";

/**
 * Text that came from a client, for one line of a terminal: what could move the cursor, change what was printed, or turn its order around
 * is written as an escape. (CWE-150)
 */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, escaped);
}

/** A value as one line of JSON that a terminal may show; it means the same. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value).replace(UNPRINTABLE, (char) =>
    // By code units: JSON has no escape for whole characters.
    Array.from({ length: char.length }, (_, at) => `\\u${char.charCodeAt(at).toString(16).padStart(4, "0")}`).join(""),
  );
}
