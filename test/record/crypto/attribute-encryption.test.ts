import { createCipheriv, hkdfSync, randomBytes } from "node:crypto";
import { AttributeEncryption } from "../../../lib/record/crypto/attribute-encryption";
import { derivedKey, SecretKeys } from "../../../lib/record/crypto/secret-keys";
import type { Encoded } from "../../../lib/record/session-record";
import { howMany } from "../../support/how-many";

const secret = () => randomBytes(32).toString("base64url");
const SESSION = "A".repeat(43);
const CONTEXT = { name: "card", createdAt: 1_000, modifiedAt: 2_000, expiresAt: 3_000 };
const VALUE = '{"number":"4111"}';

/** The error of opening it; that it opens is a failure of the test. */
function refusal(open: () => unknown): { code: string; message: string; cause: unknown } {
  try {
    open();
  } catch (error) {
    const { code, message, cause } = error as { code: string; message: string; cause: unknown };
    return { code, message, cause };
  }
  throw new Error("it was opened");
}

describe("the cipher of a session's attributes", () => {
  const current = secret();
  const cipher = new AttributeEncryption([current]).forSession(SESSION);
  const refused = refusal(() => cipher.open(Buffer.alloc(100), CONTEXT));

  it.each<[string, Encoded]>([
    ["text", VALUE],
    ["text of all kinds of characters", JSON.stringify("é🍵\ud800\0")],
    ["empty text", ""],
    ["bytes", new Uint8Array([0, 1, 255])],
    ["no bytes", new Uint8Array()],
  ])("gives back %s", (_what, value) => {
    const opened = cipher.open(cipher.seal(value, CONTEXT), CONTEXT);
    expect(opened).toEqual(value);
    expect(typeof opened).toBe(typeof value);
  });

  it("opens what never expires", () => {
    const forever = { ...CONTEXT, expiresAt: Infinity };
    expect(cipher.open(cipher.seal(VALUE, forever), forever)).toBe(VALUE);
  });

  it("P6: shows neither the value nor the secret", () => {
    const envelope = Buffer.from(cipher.seal(VALUE, CONTEXT));
    expect(envelope.includes("4111")).toBe(false);
    expect(envelope.includes(Buffer.from(current).subarray(0, 8))).toBe(false);
  });

  it("refuses an envelope of which any bit was flipped, always with the same error", () => {
    const envelope = cipher.seal(VALUE, CONTEXT);
    for (let bit = 0; bit < envelope.length * 8; bit += 1) {
      const flipped = Uint8Array.from(envelope);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      expect(refusal(() => cipher.open(flipped, CONTEXT))).toEqual(refused);
    }
  });

  it("refuses an envelope that was cut or made longer, and what is no envelope", () => {
    const envelope = cipher.seal(VALUE, CONTEXT);
    for (let length = 0; length < envelope.length; length += 1) {
      expect(refusal(() => cipher.open(envelope.slice(0, length), CONTEXT))).toEqual(refused);
    }
    expect(refusal(() => cipher.open(Buffer.concat([envelope, Buffer.of(0)]), CONTEXT))).toEqual(refused);
    expect(refusal(() => cipher.open(VALUE, CONTEXT))).toEqual(refused);
  });

  it.each([0, 4, 8, 12, 13, 14, 15])("refuses a tag of %d bytes", (tagBytes) => {
    const envelope = cipher.seal(VALUE, CONTEXT);
    const tagAt = 1 + 8 + 12;
    const shortened = Buffer.concat([envelope.subarray(0, tagAt + tagBytes), envelope.subarray(tagAt + 16)]);
    expect(refusal(() => cipher.open(shortened, CONTEXT))).toEqual(refused);
  });

  it.each([
    ["created earlier", { createdAt: 999 }],
    ["modified later", { modifiedAt: 2_001 }],
    ["living longer", { expiresAt: 3_001 }],
    ["never expiring", { expiresAt: Infinity }],
  ])("refuses an attribute that claims to be %s", (_what, change) => {
    const envelope = cipher.seal(VALUE, CONTEXT);
    expect(refusal(() => cipher.open(envelope, { ...CONTEXT, ...change }))).toEqual(refused);
  });

  it("refuses an envelope under another name, also where name and session run together", () => {
    const envelope = cipher.seal(VALUE, CONTEXT);
    expect(refusal(() => cipher.open(envelope, { ...CONTEXT, name: "cart" })).code).toBe("ATTRIBUTE_UNREADABLE");
    const one = new AttributeEncryption([current]).forSession("ab");
    const other = new AttributeEncryption([current]).forSession("a");
    const moved = one.seal(VALUE, { ...CONTEXT, name: "c" });
    expect(refusal(() => other.open(moved, { ...CONTEXT, name: "bc" })).code).toBe("ATTRIBUTE_UNREADABLE");
  });

  it("refuses an envelope of another session", () => {
    const other = new AttributeEncryption([current]).forSession("B".repeat(43));
    expect(refusal(() => other.open(cipher.seal(VALUE, CONTEXT), CONTEXT))).toEqual(refused);
  });

  it("gives no reason, neither in the message nor as the cause", () => {
    expect(refused).toMatchObject({ code: "ATTRIBUTE_UNREADABLE", cause: undefined });
    expect(refused.message).toContain('"card"');
  });

  it("encrypts with the newest secret, and decrypts with all of them", () => {
    const [old, added] = [secret(), secret()];
    const before = new AttributeEncryption([old]).forSession(SESSION);
    const after = new AttributeEncryption([added, old]).forSession(SESSION);
    const later = new AttributeEncryption([added]).forSession(SESSION);
    const written = before.seal(VALUE, CONTEXT);
    expect(after.open(written, CONTEXT)).toBe(VALUE);
    expect(later.open(after.seal(VALUE, CONTEXT), CONTEXT)).toBe(VALUE);
    expect(refusal(() => later.open(written, CONTEXT))).toEqual(refused);
    expect(refusal(() => new AttributeEncryption([]).forSession(SESSION).open(written, CONTEXT))).toEqual(refused);
  });

  it("says how to make a secret where there is none", () => {
    const none = new AttributeEncryption([]).forSession(SESSION);
    expect(refusal(() => none.seal(VALUE, CONTEXT))).toMatchObject({
      code: "SESSION_CONFIG",
      message: expect.stringContaining("npx coatcheck secret"),
    });
  });

  it("has another key for each secret, session and use, as HKDF gives them", () => {
    const keys = new SecretKeys(current);
    expect(keys.key("one use")).toEqual(derivedKey(current, "one use"));
    expect(keys.key("attributes of a")).not.toEqual(keys.key("attributes of b"));
    expect(keys.key("one use")).not.toEqual(new SecretKeys(secret()).key("one use"));
  });

  it("opens an envelope that was made by hand as the format says, and none that is bound to less", () => {
    const keyOf = (use: string) => Buffer.from(hkdfSync("sha256", current, "", `coatcheck ${use}`, 32));
    const header = Buffer.concat([Buffer.of(1), keyOf("attribute key id").subarray(0, 8)]);
    const sized = (text: string) => Buffer.concat([Buffer.from(Uint32Array.of(text.length).buffer), Buffer.from(text)]);
    const times = Buffer.from(Float64Array.of(1_000, 2_000, 3_000).buffer);
    const bound = [header, sized(SESSION), sized("card"), times];
    const sealed = (use: string, aad: readonly Buffer[]) => {
      const nonce = randomBytes(12);
      const gcm = createCipheriv("aes-256-gcm", keyOf(use), nonce).setAAD(Buffer.concat(aad));
      const text = Buffer.concat([gcm.update(`\0${VALUE}`), gcm.final()]);
      return Buffer.concat([header, nonce, gcm.getAuthTag(), text]);
    };
    expect(cipher.open(sealed(`attributes of ${SESSION}`, bound), CONTEXT)).toBe(VALUE);
    expect(refusal(() => cipher.open(sealed("attributes of another", bound), CONTEXT))).toEqual(refused);
    for (const without of bound) {
      const aad = bound.filter((part) => part !== without);
      expect(refusal(() => cipher.open(sealed(`attributes of ${SESSION}`, aad), CONTEXT))).toEqual(refused);
    }
  });

  it("never uses a nonce twice under one key, in any number of encryptions", () => {
    // Nonces whose first eight bytes all differ, differ.
    const starts = new BigUint64Array(howMany(100_000, 1_000_000));
    for (let n = 0; n < starts.length; n += 1) {
      const envelope = cipher.seal("1", CONTEXT);
      starts[n] = Buffer.from(envelope.buffer, envelope.byteOffset).readBigUInt64LE(9);
    }
    starts.sort();
    expect(starts.findIndex((start, n) => n > 0 && start === starts[n - 1])).toBe(-1);
  });
});
