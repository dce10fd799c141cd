import { hkdfSync } from "node:crypto";
import fc from "fast-check";
import { derivedKey } from "../../../lib/record/crypto/secret-keys";

it("is what HKDF derives with SHA-256 and no salt (RFC 5869)", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (secret, use) => {
      const expected = Buffer.from(hkdfSync("sha256", secret, "", `coatcheck ${use}`, 32));
      expect(derivedKey(secret, use).equals(expected)).toBe(true);
    }),
  );
});
