import { SessionError } from "../../errors";
import { quoted } from "../../record/shown-text";
import type { Encoded } from "../../record/session-record";
import { decodeValue } from "../../record/value/value-encoding";

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
