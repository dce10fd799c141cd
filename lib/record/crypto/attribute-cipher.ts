import { SecretKeys } from "./secret-keys";
import { KEY_ID_BYTES, SessionCipher } from "./session-cipher";

/** Encrypts attributes with the app's secrets; `forSession` gives the cipher of one session. */
export class AttributeCipher {
  readonly #secrets: readonly { readonly keys: SecretKeys; readonly keyId: Uint8Array }[];

  /** The secrets, newest first; without any, nothing can be encrypted or decrypted. */
  constructor(secrets: readonly string[]) {
    this.#secrets = secrets.map((secret) => {
      const keys = new SecretKeys(secret);
      return { keys, keyId: keys.key("attribute key id").subarray(0, KEY_ID_BYTES) };
    });
  }

  /** A key is derived when it is first needed, and kept as long as what this answers. */
  forSession(sessionId: string): SessionCipher {
    const keys = this.#secrets.map((secret) => {
      let key: Buffer | undefined;
      return { keyId: secret.keyId, key: () => (key ??= secret.keys.key(`attributes of ${sessionId}`)) };
    });
    return new SessionCipher(sessionId, keys);
  }
}
