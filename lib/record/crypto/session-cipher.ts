import { createCipheriv, createDecipheriv } from "node:crypto";
import { SessionError } from "../../errors";
import { quoted } from "../shown-text";
import { boundContext } from "./bound-context";
import type { AttributeContext } from "./bound-context";
import { NONCE_BYTES, writeNonce } from "./nonce";
import type { Encoded } from "../session-record";

/*
 * An envelope:
 *
 *   0  u8 format
 *   1  which secret: 8 bytes that are derived from it
 *   9  the nonce
 *  21  GCM's tag
 *  37  the ciphertext of a u8 (text or clone) and the encoded value
 */
const FORMAT = 1;
export const KEY_ID_BYTES = 8;
const TAG_BYTES = 16;
const NONCE_AT = 1 + KEY_ID_BYTES;
const TAG_AT = NONCE_AT + NONCE_BYTES;
const TEXT_AT = TAG_AT + TAG_BYTES;

const TEXT = 0;
const CLONE = 1;

/** The key that one secret gives one session. */
export interface SessionKey {
  /** Tells the secret, and reveals nothing of it. */
  readonly keyId: Uint8Array;
  readonly key: () => Buffer;
}

/**
 * Encrypts the attributes of one session: AES-256-GCM with a 16-byte tag, under a key that no other session has. The session, the
 * attribute's name and its times are authenticated.
 *
 * Nonces are random: one key is good for 2^32 of them (NIST SP 800-38D §8.3), which no session ever comes near.
 */
export class SessionCipher {
  readonly #sessionId: string;
  readonly #keys: readonly SessionKey[];

  /** The keys by the secrets' order, newest first: the newest encrypts, all of them decrypt. */
  constructor(sessionId: string, keys: readonly SessionKey[]) {
    this.#sessionId = sessionId;
    this.#keys = keys;
  }

  /** Throws `SESSION_CONFIG` where there is no secret. */
  seal(value: Encoded, context: AttributeContext): Uint8Array {
    const [newest] = this.#keys;
    if (newest === undefined) throw noSecret(context.name);
    const envelope = Buffer.alloc(TEXT_AT + 1 + Buffer.byteLength(value));
    envelope[0] = FORMAT;
    envelope.set(newest.keyId, 1);
    writeNonce(envelope, NONCE_AT);
    const nonce = envelope.subarray(NONCE_AT, TAG_AT);
    const cipher = createCipheriv("aes-256-gcm", newest.key(), nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(boundContext(envelope.subarray(0, NONCE_AT), this.#sessionId, context));
    envelope.set(cipher.update(plaintext(value)), TEXT_AT);
    cipher.final();
    envelope.set(cipher.getAuthTag(), TAG_AT);
    return envelope;
  }

  /** Throws `ATTRIBUTE_UNREADABLE`, the same for every reason: a secret that is gone, and whatever was tampered with. */
  open(envelope: Encoded, context: AttributeContext): Encoded {
    try {
      return this.#opened(envelope, context);
    } catch {
      // Why it failed is told to nobody: not in the message, and not as a cause.
      throw unreadable(context.name);
    }
  }

  #opened(encoded: Encoded, context: AttributeContext): Encoded {
    if (typeof encoded === "string" || encoded.length <= TEXT_AT || encoded[0] !== FORMAT) throw new Error("format");
    const envelope = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.length);
    const keyId = envelope.subarray(1, NONCE_AT);
    const known = this.#keys.find((one) => keyId.equals(one.keyId));
    if (known === undefined) throw new Error("key");
    const nonce = envelope.subarray(NONCE_AT, TAG_AT);
    const decipher = createDecipheriv("aes-256-gcm", known.key(), nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(boundContext(envelope.subarray(0, NONCE_AT), this.#sessionId, context));
    decipher.setAuthTag(envelope.subarray(TAG_AT, TEXT_AT));
    const plain = decipher.update(envelope.subarray(TEXT_AT));
    decipher.final();
    return plain[0] === TEXT ? plain.toString("utf8", 1) : new Uint8Array(plain.subarray(1));
  }
}

function plaintext(value: Encoded): Buffer {
  const plain = Buffer.allocUnsafe(1 + Buffer.byteLength(value));
  plain[0] = typeof value === "string" ? TEXT : CLONE;
  if (typeof value === "string") plain.write(value, 1);
  else plain.set(value, 1);
  return plain;
}

function noSecret(name: string): SessionError {
  return new SessionError(
    "SESSION_CONFIG",
    `The attribute ${quoted(name)} can't be encrypted without the option secrets; make a secret with: npx coatcheck secret`,
  );
}

function unreadable(name: string): SessionError {
  return new SessionError(
    "ATTRIBUTE_UNREADABLE",
    `The attribute ${quoted(name)} can't be decrypted; delete it, or set it anew. If a secret was removed from the option secrets, put it back at the end.`,
  );
}
