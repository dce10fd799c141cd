import { deserialize, serialize } from "node:v8";
import { SessionError } from "../../errors";
import { jsonText } from "./json-text";
import { intoOwnRealm } from "./own-realm";
import type { Encoded } from "../session-record";
import { refusedPart } from "./refused-part";
import { shownText } from "../shown-text";
import { storableCopy } from "./storable-copy";

/**
 * What is stored for a value. `key` only names it in the error: `SESSION_VALUE` with the path to the part that can't be
 * stored, and what to store instead.
 */
export function encodeValue(key: string, value: unknown): Encoded {
  const text = jsonText(value);
  if (text !== undefined) return text;
  const { copy, isRefused } = storableCopy(value);
  if (isRefused) {
    const { path, is, instead } = refusedPart(key, copy);
    throw new SessionError(
      "SESSION_VALUE",
      `${shownText(path)} is ${shownText(is)}, which a session can't hold; ${instead}.`,
    );
  }
  return encodeClone(key, copy);
}

function encodeClone(key: string, value: unknown): Uint8Array {
  try {
    return serialize(value);
  } catch {
    // V8's own message quotes the value, which belongs in no log.
    throw new SessionError("SESSION_VALUE", `${shownText(key)} can't be cloned; store plain data instead.`);
  }
}

/** The value that was stored; every call makes a new one. Throws what JSON.parse or v8.deserialize throws on damaged input. */
export function decodeValue(encoded: Encoded): unknown {
  if (typeof encoded === "string") return JSON.parse(encoded) as unknown;
  // v8.deserialize makes views onto its input; the copy keeps the stored bytes out of the app's hands.
  return intoOwnRealm(deserialize(Buffer.from(encoded)));
}

/** Whether two stored forms are the same to the byte. */
export function sameEncoded(a: Encoded, b: Encoded): boolean {
  if (typeof a === "string" || typeof b === "string") return a === b;
  return Buffer.compare(a, b) === 0;
}

/** The size of a stored form in bytes, as `maxBytes` counts it. */
export function encodedBytes(encoded: Encoded): number {
  return typeof encoded === "string" ? Buffer.byteLength(encoded) : encoded.byteLength;
}
