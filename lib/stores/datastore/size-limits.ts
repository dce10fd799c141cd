import { SessionError } from "../../errors";
import { quoted } from "../../record/shown-text";
import type { Properties, Value } from "./wire/messages";

// https://cloud.google.com/datastore/docs/concepts/limits
const MAX_ENTITY_BYTES = 1_048_572;
const MAX_VALUE_BYTES = 1_048_487;
const MAX_INDEXED_BYTES = 1_500;
const MAX_KEY_BYTES = 1_500;
/** What Datastore counts for an entity besides its properties, including its key. */
const ENTITY_OVERHEAD = 32 + MAX_KEY_BYTES;

/** Whether Datastore accepts this id as the name of a key. No stored record has any other. */
export function isKeyName(id: string): boolean {
  return id !== "" && !/^__.*__$/s.test(id) && Buffer.byteLength(id) <= MAX_KEY_BYTES;
}

/**
 * The size of the entity as Datastore counts it, in bytes. `SESSION_ARGUMENT` or `SESSION_TOO_LARGE` where Datastore
 * would refuse it, so that nothing is sent in vain.
 */
export function assertWithinLimits(id: string, properties: Properties): number {
  if (!isKeyName(id)) {
    throw new SessionError("SESSION_ARGUMENT", `Datastore can't use ${quoted(id)} as an id.`);
  }
  for (const name of Object.keys(properties)) {
    const { stringValue, excludeFromIndexes } = properties[name] ?? {};
    if (stringValue === undefined || excludeFromIndexes === true) continue;
    const bytes = Buffer.byteLength(stringValue);
    if (bytes <= MAX_INDEXED_BYTES) continue;
    throw new SessionError(
      "SESSION_ARGUMENT",
      `The ${name} of session ${id} has ${bytes} bytes; Datastore can search ${MAX_INDEXED_BYTES} at most. Use a shorter one.`,
    );
  }
  const bytes = sizeOf(id, properties) + ENTITY_OVERHEAD;
  if (bytes > MAX_ENTITY_BYTES) throw tooLarge(id, `takes ${bytes} bytes, and an entity`, MAX_ENTITY_BYTES);
  return bytes;
}

function sizeOf(id: string, properties: Properties): number {
  let bytes = 0;
  for (const name of Object.keys(properties)) bytes += name.length + 1 + sizeOfValue(id, properties[name] ?? {});
  return bytes;
}

function sizeOfValue(id: string, { stringValue, blobValue, entityValue }: Value): number {
  if (entityValue !== undefined) return sizeOf(id, entityValue.properties);
  const bytes = stringValue === undefined ? (blobValue?.length ?? 8) : Buffer.byteLength(stringValue) + 1;
  if (bytes > MAX_VALUE_BYTES) throw tooLarge(id, `holds a value of ${bytes} bytes, and a value`, MAX_VALUE_BYTES);
  return bytes;
}

function tooLarge(id: string, what: string, limit: number): SessionError {
  return new SessionError(
    "SESSION_TOO_LARGE",
    `Session ${id} ${what} in Datastore has ${limit} at most. Keep large things elsewhere and their name in the session.`,
  );
}
