import fc from "fast-check";
import { KnownTexts } from "../../../lib/stores/datastore/wire/protobuf-reader";

describe("KnownTexts", () => {
  it("tells any texts apart, however often they come and however long they are", () => {
    const known = new KnownTexts((text) => ({ text }));
    const texts = fc.array(fc.string({ unit: "binary", maxLength: 100 }), { maxLength: 100 });
    fc.assert(
      fc.property(texts, (given) => {
        const bytes = given.map((text) => Buffer.from(`<${text}>`));
        for (const each of [...bytes, ...bytes]) {
          expect(known.of(each, 1, each.length - 1).text).toBe(each.toString("utf8", 1, each.length - 1));
        }
      }),
    );
  });

  it("makes once what a short text stands for", () => {
    let made = 0;
    const known = new KnownTexts(() => (made += 1));
    for (let time = 0; time < 3; time += 1) expect(known.of(Buffer.from("..owner.."), 2, 7)).toBe(1);
    expect(made).toBe(1);
  });

  it("does not keep the bytes that it was given", () => {
    const known = new KnownTexts((text) => text);
    const bytes = Buffer.from("owner");
    known.of(bytes, 0, 5);
    bytes.write("scope");
    expect(known.of(bytes, 0, 5)).toBe("scope");
    expect(known.of(Buffer.from("owner"), 0, 5)).toBe("owner");
  });
});
