import fc from "fast-check";
import { jsonColumn, textColumn, textOf } from "../../../lib/stores/postgres/record-rows";

/** Any UTF-16, with what PostgreSQL can't hold more often than by chance. */
const texts = fc
  .array(
    fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom("\0", "\u0010", "\ud800", "\udc00", "\\u0000", "\n", "0010"),
    ),
  )
  .map((parts) => parts.join(""));

/** What PostgreSQL takes in a text. */
const STORABLE = (text: string) => text.isWellFormed() && !text.includes("\0");

describe("Texts in PostgreSQL", () => {
  it("P9: come back as they were, whatever is in them, and differ where they differed", () => {
    fc.assert(
      fc.property(texts, texts, (one, other) => {
        expect(STORABLE(textColumn(one))).toBe(true);
        expect(textOf(textColumn(one))).toBe(one);
        expect(textColumn(one) === textColumn(other)).toBe(one === other);
      }),
    );
  });

  it("P9: are the same in JSON as in a column, as keys and as values, whatever else is in it", () => {
    fc.assert(
      fc.property(texts, texts, (key, value) => {
        const stored = JSON.parse(jsonColumn(JSON.parse(JSON.stringify({ [key]: [value] })) as object)) as object;
        expect(Object.entries(stored)).toEqual([[textColumn(key), [textColumn(value)]]]);
        expect(jsonColumn({ [key]: value })).not.toMatch(/(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/);
      }),
    );
  });

  it("keep bytes apart from texts that look like them", () => {
    expect(jsonColumn({ a: Uint8Array.of(1, 2), b: Buffer.from([3]), c: '{"base64":"AQI="}' })).toBe(
      '{"a":{"base64":"AQI="},"b":{"base64":"Aw=="},"c":"{\\"base64\\":\\"AQI=\\"}"}',
    );
  });
});
