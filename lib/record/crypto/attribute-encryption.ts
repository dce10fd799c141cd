import { createCipheriv, createDecipheriv, randomFillSync } from "node:crypto";
import { SessionError } from "../../errors";
import type { Encoded } from "../session-record";
import { quoted } from "../shown-text";
import { SecretKeys } from "./secret-keys";

/*
 * What is stored of an encrypted value, its envelope:
 *
 *   0  u8 format
 *   1  the id of the secret: 8 bytes that are derived from it
 *   9  the nonce
 *  21  GCM's tag
 *  37  the ciphertext: a u8 (text or clone) and the encoded value
 */
const FORMAT = 1;
const KEY_ID_BYTES = 8;
/** 96 bits, the length that GCM is made for. (NIST SP 800-38D §5.2.1.1) */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const NONCE_AT = 1 + KEY_ID_BYTES;
const TAG_AT = NONCE_AT + NONCE_BYTES;
const TEXT_AT = TAG_AT + TAG_BYTES;

const TEXT = 0;
const CLONE = 1;

/**
 * What an encrypted attribute is bound to, beside its session. Instants in milliseconds since the epoch; `Infinity`
 * allowed.
 */
export interface AttributeContext {
  readonly name: string;
  readonly createdAt: number;
  readonly modifiedAt: number;
  readonly expiresAt: number;
}

/** Encrypts attributes with the app's secrets; `forSession` returns the cipher of one session. */
export class AttributeEncryption {
  readonly #secrets: readonly { readonly keys: SecretKeys; readonly keyId: Uint8Array }[];

  /** The secrets, newest first; without any, nothing can be encrypted or decrypted. */
  constructor(secrets: readonly string[]) {
    this.#secrets = secrets.map((secret) => {
      const keys = new SecretKeys(secret);
      return { keys, keyId: keys.key("attribute key id").subarray(0, KEY_ID_BYTES) };
    });
  }

  /** Each key is derived when it is first needed, and kept as long as the cipher. */
  forSession(sessionId: string): AttributeCipher {
    const keys = this.#secrets.map((secret) => {
      let key: Buffer | undefined;
      return { keyId: secret.keyId, key: () => (key ??= secret.keys.key(`attributes of ${sessionId}`)) };
    });
    return new AttributeCipher(sessionId, keys);
  }
}

/** The key of one session that is derived from one secret. */
interface SessionKey {
  /** Identifies the secret, and reveals nothing of it. */
  readonly keyId: Uint8Array;
  readonly key: () => Buffer;
}

/**
 * Encrypts the attributes of one session: AES-256-GCM with a 16-byte tag, under a key that no other session has. The
 * session, the attribute's name and its times are authenticated.
 *
 * Nonces are random: one key is good for 2^32 of them (NIST SP 800-38D §8.3), which no session ever comes near.
 */
export class AttributeCipher {
  readonly #sessionId: string;
  readonly #keys: readonly SessionKey[];

  /** The keys in the order of the secrets, newest first: the newest encrypts, all decrypt. */
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

  /**
   * Throws the same `ATTRIBUTE_UNREADABLE` for every reason: a secret that is gone, or anything that was tampered with.
   */
  open(envelope: Encoded, context: AttributeContext): Encoded {
    try {
      return this.#opened(envelope, context);
    } catch {
      // The reason is told to nobody: neither in the message nor as a cause.
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

const TIME_BYTES = 8;
const LENGTH_BYTES = 4;

/**
 * The additional data that GCM authenticates with an attribute: the envelope's header, the session, the name and the
 * times. Each text follows its length and each time has eight bytes, so no two contexts have the same bytes.
 */
function boundContext(header: Uint8Array, sessionId: string, context: AttributeContext): Buffer {
  const idBytes = Buffer.byteLength(sessionId);
  const nameBytes = Buffer.byteLength(context.name);
  const bytes = Buffer.allocUnsafe(header.length + 2 * LENGTH_BYTES + idBytes + nameBytes + 3 * TIME_BYTES);
  bytes.set(header);
  let at = bytes.writeUInt32LE(idBytes, header.length);
  at += bytes.write(sessionId, at);
  at = bytes.writeUInt32LE(nameBytes, at);
  at += bytes.write(context.name, at);
  at = bytes.writeDoubleLE(context.createdAt, at);
  at = bytes.writeDoubleLE(context.modifiedAt, at);
  bytes.writeDoubleLE(context.expiresAt, at);
  return bytes;
}

// Asking the kernel once for many nonces costs a fraction of asking for each. They are no secret.
const nonces = Buffer.allocUnsafeSlow(NONCE_BYTES * 256);
let used = nonces.length;

/** Writes a new random nonce to `target`, at `offset`. */
function writeNonce(target: Uint8Array, offset: number): void {
  if (used === nonces.length) {
    randomFillSync(nonces);
    used = 0;
  }
  nonces.copy(target, offset, used, (used += NONCE_BYTES));
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
