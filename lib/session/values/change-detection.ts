import { SessionError } from "../../errors";
import type { Encoded } from "../../record/session-record";
import { quoted } from "../../record/shown-text";
import { decodeValue, encodeValue, sameEncoded } from "../../record/value/value-encoding";

/*
 * What counts as changed: a value that was handed out is encoded again when the session is saved, and compared with its
 * baseline. So a change deep inside an object is noticed, and assigning an equal value is no change.
 */

/** The value that is stored under a key. Throws `SESSION_UNREADABLE` where it is damaged. */
export function decodedValue(key: string, encoded: Encoded): unknown {
  try {
    return decodeValue(encoded);
  } catch {
    // The parser's own error is not kept as the cause: it quotes what it has read, and values are in no log. (P6)
    throw new SessionError(
      "SESSION_UNREADABLE",
      `What is stored under ${quoted(key)} is damaged, and can't be read; set the key anew, or delete it.`,
    );
  }
}

/** What an object that was just decoded is compared with when it is saved. */
export function baselineOf(key: string, value: unknown, encoded: Encoded): Encoded {
  // A clone is not always encoded to the same bytes again, so it is compared with its own encoding after reading.
  return typeof encoded === "string" ? encoded : encodeValue(key, value);
}

/**
 * The form to store of a value; undefined where it has not changed. Throws `SESSION_VALUE` where it can't be stored.
 */
export function changedForm(key: string, value: unknown, baseline: Encoded | undefined): Encoded | undefined {
  const encoded = encodeValue(key, value);
  return isSameForm(encoded, baseline) ? undefined : encoded;
}

/** Whether two stored forms are of equal values; undefined is that of an absent key. */
export function isSameForm(encoded: Encoded | undefined, baseline: Encoded | undefined): boolean {
  if (encoded === undefined || baseline === undefined) return encoded === baseline;
  return sameEncoded(encoded, baseline);
}
