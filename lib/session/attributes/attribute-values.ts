import type { AttributeCipher, AttributeEncryption } from "../../record/crypto/attribute-encryption";
import type { AttributeRecord, Encoded } from "../../record/session-record";
import { decodedValue } from "../values/change-detection";

/** An attribute to be written. */
export interface AttributeDraft {
  readonly name: string;
  readonly encoded: Encoded;
  /** How long it lives from now on, in milliseconds; undefined leaves its expiry as it is. */
  readonly lifeMs: number | undefined;
  /** Whether to encrypt it; undefined leaves that as it is. */
  readonly encrypt: boolean | undefined;
}

/** Turns drafts into what is stored, and what is stored into values, and encrypts where that is wanted. */
export class AttributeValues {
  readonly #encryption: AttributeEncryption;
  /** Kept with its key, so that the key is derived once for all attributes of a session. */
  #cipher: { readonly sessionId: string; readonly of: AttributeCipher } | undefined;

  constructor(encryption: AttributeEncryption) {
    this.#encryption = encryption;
  }

  /**
   * The value of a stored attribute, made anew by every call. Throws `ATTRIBUTE_UNREADABLE` or `SESSION_UNREADABLE`.
   */
  value(sessionId: string, name: string, attribute: AttributeRecord): unknown {
    return decodedValue(name, this.#encoded(sessionId, name, attribute));
  }

  /**
   * What is stored for a draft, in place of what was stored `before`. Throws `SESSION_CONFIG` where it can't be
   * encrypted.
   */
  written(sessionId: string, draft: AttributeDraft, before: AttributeRecord | undefined, now: number): AttributeRecord {
    return this.#stored(sessionId, draft.name, draft.encoded, {
      encrypted: draft.encrypt ?? before?.encrypted ?? false,
      createdAt: before?.createdAt ?? now,
      modifiedAt: now,
      expiresAt: draft.lifeMs === undefined ? (before?.expiresAt ?? Infinity) : now + draft.lifeMs,
    });
  }

  /**
   * The same value with another expiry; of an encrypted one that is authenticated, so it is encrypted anew. Throws as
   * `value` does.
   */
  renewed(sessionId: string, name: string, attribute: AttributeRecord, expiresAt: number): AttributeRecord {
    return this.#stored(sessionId, name, this.#encoded(sessionId, name, attribute), { ...attribute, expiresAt });
  }

  #stored(
    sessionId: string,
    name: string,
    encoded: Encoded,
    { encrypted, createdAt, modifiedAt, expiresAt }: Omit<AttributeRecord, "value">,
  ): AttributeRecord {
    const times = { createdAt, modifiedAt, expiresAt };
    const value = encrypted ? this.#cipherOf(sessionId).seal(encoded, { name, ...times }) : encoded;
    return { value, encrypted, ...times };
  }

  #encoded(sessionId: string, name: string, attribute: AttributeRecord): Encoded {
    if (!attribute.encrypted) return attribute.value;
    const { createdAt, modifiedAt, expiresAt } = attribute;
    return this.#cipherOf(sessionId).open(attribute.value, { name, createdAt, modifiedAt, expiresAt });
  }

  #cipherOf(sessionId: string): AttributeCipher {
    if (this.#cipher?.sessionId !== sessionId) {
      this.#cipher = { sessionId, of: this.#encryption.forSession(sessionId) };
    }
    return this.#cipher.of;
  }
}
