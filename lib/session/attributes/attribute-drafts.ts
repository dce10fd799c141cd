import { SessionError } from "../../errors";
import { quoted } from "../../record/shown-text";
import { encodeValue } from "../../record/value/value-encoding";
import { assertAttributeName } from "./attribute-name";
import { readItem, readOptions } from "./attribute-options";
import type { AttributeDraft } from "./attribute-values";

/** Checks what is to be written, and encodes the values as they are now: `SESSION_ARGUMENT`, `SESSION_VALUE`, or a RangeError. */
export function readDrafts(items: unknown, defaults: unknown): AttributeDraft[] {
  if (!Array.isArray(items)) {
    throw new SessionError("SESSION_ARGUMENT", "Give attributes to write as an array of { name, value }.");
  }
  const options = readOptions(defaults);
  const drafts = new Map<string, AttributeDraft>();
  for (const item of items) {
    const { name, value, lifeMs, encrypt } = readItem(item, options);
    assertAttributeName(name);
    if (drafts.has(name)) {
      throw new SessionError("SESSION_ARGUMENT", `The attribute ${quoted(name)} is given twice in one call.`);
    }
    drafts.set(name, { name, encoded: encodeValue(name, value), lifeMs, encrypt });
  }
  return [...drafts.values()];
}
