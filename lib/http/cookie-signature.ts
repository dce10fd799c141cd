import { createHmac, timingSafeEqual } from "node:crypto";
import { derivedKey } from "../record/derived-key";

const SEPARATOR = ".";

/** Signs tokens, so that a forged cookie is told without asking the store. HMAC-SHA-256, base64url. */
export class CookieSignature {
  readonly #keys: readonly Buffer[];

  /** The secrets, newest first: the newest signs, all of them are accepted. */
  constructor(secrets: readonly string[]) {
    this.#keys = secrets.map((secret) => derivedKey(secret, "cookie signature"));
  }

  sign(token: string): string {
    const [newest] = this.#keys;
    return newest === undefined ? token : token + SEPARATOR + mac(newest, token).toString("base64url");
  }

  /** The token of a signed cookie value; undefined where none of the secrets signed it. */
  verify(value: string): string | undefined {
    const end = value.indexOf(SEPARATOR);
    if (end < 0) return undefined;
    const token = value.slice(0, end);
    const given = Buffer.from(value.slice(end + 1), "base64url");
    const isOurs = this.#keys.some((key) => {
      const expected = mac(key, token);
      return given.length === expected.length && timingSafeEqual(given, expected);
    });
    return isOurs ? token : undefined;
  }
}

function mac(key: Buffer, token: string): Buffer {
  return createHmac("sha256", key).update(token).digest();
}
