import fc from "fast-check";
import { keyOfProperty, propertyName } from "../../../lib/stores/datastore/entity/properties";

/** UTF-16 in any order, as JavaScript allows it. */
const anyKey = fc
  .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 100 })
  .map((units) => String.fromCharCode(...units));

describe("the property that holds a key", () => {
  it("P9: gives back every key, half surrogate pairs and zero bytes included", () => {
    fc.assert(
      fc.property(anyKey, (key) => {
        expect(keyOfProperty(propertyName(key))).toBe(key);
      }),
    );
  });

  it("is an identifier, whatever the key is", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (key) => {
        expect(propertyName(key)).toMatch(/^[a-z]_[A-Za-z0-9_]*$/);
      }),
    );
  });

  it("differs for keys that differ", () => {
    const keys = ["", "\0", "\0\0", "a", "k_a", "x_a", "__proto__", "a.b", "a-b", "\ud800", "\udc00", "\ufffd"];
    expect(new Set(keys.map(propertyName)).size).toBe(keys.length);
  });

  it.each([
    ["letters", "a".repeat(1024)],
    ["dots", ".".repeat(1024)],
    ["é", "é".repeat(512)],
    ["🍵", "🍵".repeat(256)],
  ])("has room for a key of 1,024 bytes of %s below any property", (_, key) => {
    expect(`attributes.${propertyName(key)}`.length).toBeLessThanOrEqual(1500);
  });

  it("refuses a longer key before Datastore does", () => {
    expect(() => propertyName("a".repeat(1500))).toThrow(expect.objectContaining({ code: "SESSION_ARGUMENT" }));
  });

  it.each(["", "a", "data", "x_", "x_-", "x_2", "y_a"])("is not %j, which nothing of ours has written", (name) => {
    expect(keyOfProperty(name)).toBeUndefined();
  });
});
