import { createHmac, timingSafeEqual } from "node:crypto";
import { derivedKey } from "../../record/crypto/secret-keys";
import { isToken } from "../../record/token";

const SEPARATOR = ".";
/** A token, the separator, and 32 bytes of signature, which have a token's form. */
const SEPARATOR_AT = 43;

/** Signs tokens, so that a forged cookie is recognised without asking the store. HMAC-SHA-256, base64url. */
export class CookieSignature {
  readonly #keys: readonly Buffer[];

  /** The secrets, newest first: the newest signs, and all are accepted. */
  constructor(secrets: readonly string[]) {
    this.#keys = secrets.map((secret) => derivedKey(secret, "cookie signature"));
  }

  sign(token: string): string {
    const [newest] = this.#keys;
    return newest === undefined ? token : token + SEPARATOR + mac(newest, token).toString("base64url");
  }

  /** The token in a cookie value for which `isSignedToken` is true; undefined where none of the secrets signed it. */
  verify(value: string): string | undefined {
    const token = value.slice(0, SEPARATOR_AT);
    const given = Buffer.from(value.slice(SEPARATOR_AT + 1), "base64url");
    const isOurs = this.#keys.some((key) => {
      const expected = mac(key, token);
      return given.length === expected.length && timingSafeEqual(given, expected);
    });
    return isOurs ? token : undefined;
  }
}

/**
 * Whether `sign` could have made this text. Only canonical base64url is accepted, so that a signature has one form, and
 * not four or any number. (RFC 4648 §3.5)
 */
export function isSignedToken(value: string): boolean {
  return (
    value.length === 2 * SEPARATOR_AT + 1 &&
    value[SEPARATOR_AT] === SEPARATOR &&
    isToken(value.slice(0, SEPARATOR_AT)) &&
    isToken(value.slice(SEPARATOR_AT + 1))
  );
}

function mac(key: Buffer, token: string): Buffer {
  return createHmac("sha256", key).update(token).digest();
}
