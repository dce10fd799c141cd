import fc from "fast-check";
import vm from "node:vm";
import { decodeValue, encodeValue, sameEncoded } from "../../../lib/record/value/value-encoding";
import { fingerprint } from "../../support/storable-values";

const cyclic: Record<string, unknown> = { name: "loop" };
cyclic.self = cyclic;
const shared = { a: 1 };

const KEPT: readonly (readonly [string, unknown])[] = [
  ["null", null],
  ["booleans", [true, false]],
  ["numbers", [0, 1, -1.5, Number.MAX_VALUE, Number.MIN_VALUE]],
  ["NaN", NaN],
  ["−0", [-0]],
  ["the infinities", { up: Infinity, down: -Infinity }],
  ["strings, lone surrogates too", ["", "é🍵", "\ud800", "\u0000"]],
  ["bigints", 2n ** 80n],
  ["Date", new Date(5)],
  ["an invalid Date", { at: new Date(NaN) }],
  [
    "Map",
    new Map<unknown, unknown>([
      ["a", 1],
      [{ k: 1 }, new Map()],
    ]),
  ],
  ["Set", new Set([1, "1", null])],
  ["arrays with holes", [1, , 3]], // eslint-disable-line no-sparse-arrays -- the hole is what is tested
  ["arrays with names beside their items", /b/.exec("abc")],
  ["undefined inside", { a: undefined, b: [undefined] }],
  ["undefined itself", undefined],
  ["ArrayBuffer", new Uint8Array([1, 2, 3]).buffer],
  ["typed arrays", [new Float64Array([1.5]), new Uint16Array([65535]), new BigInt64Array([-1n])]],
  ["Buffer", Buffer.from("tea")],
  ["cycles", cyclic],
  ["shared objects", [shared, shared]],
  ["a key called __proto__", JSON.parse('{"__proto__":{"a":1},"constructor":2}')],
];

const REFUSED: readonly (readonly [string, unknown, string])[] = [
  ["a function", { items: [1, 2, 3, { toPrice: () => 1 }] }, "cart.items[3].toPrice is a function"],
  ["a class instance", new (class Tea {})(), "cart is an instance of Tea"],
  ["a subclass of Map", { m: new (class Mine extends Map {})() }, "cart.m is an instance of Mine"],
  ["an Error", [new Error("secret value")], "cart[0] is an Error"],
  ["a URL", { "a b": new URL("http://example.test") }, 'cart["a b"] is a URL'],
  ["a RegExp", /x/, "cart is a RegExp"],
  ["a symbol", { s: Symbol("x") }, "cart.s is a symbol"],
  ["symbol keys", { [Symbol("x")]: 1 }, "cart is an object with symbol keys"],
  ["a promise", { p: Promise.resolve(1) }, "cart.p is a promise"],
  ["what is in a Map", new Map([["k", () => 1]]), "cart.values()[0] is a function"],
  ["what is in a Set", new Set([() => 1]), "cart.values()[0] is a function"],
  ["DataView", new DataView(new ArrayBuffer(1)), "cart is an instance of DataView"],
  ["SharedArrayBuffer", new SharedArrayBuffer(1), "cart is an instance of SharedArrayBuffer"],
  ["a boxed primitive", Object(1), "cart is a boxed primitive"],
  ["WeakMap", new WeakMap(), "cart is an instance of WeakMap"],
];

describe("value encoding", () => {
  it.each(KEPT)("P9: %s comes back equal", (_name, value) => {
    const back = decodeValue(encodeValue("key", value));
    expect(fingerprint(back)).toEqual(fingerprint(value));
    expect(Object.getPrototypeOf(Object(back))).toBe(Object.getPrototypeOf(Object(value)));
  });

  it("P9: −0 inside an array stays −0", () => {
    expect(Object.is((decodeValue(encodeValue("key", [-0])) as number[])[0], -0)).toBe(true);
  });

  it("P9: a cycle is the same object again", () => {
    const back = decodeValue(encodeValue("key", cyclic)) as typeof cyclic;
    expect(back.self).toBe(back);
  });

  it.each(REFUSED)("P9: %s is refused, and the message names the path", (_name, value, path) => {
    expect(() => encodeValue("cart", value)).toThrow(expect.objectContaining({ code: "SESSION_VALUE" }));
    expect(() => encodeValue("cart", value)).toThrow(path);
  });

  it("P6: the message holds no value", () => {
    expect(() => encodeValue("cart", [new Error("secret value")])).not.toThrow("secret value");
  });

  it("P9: what is stored is what was checked: each property is read once on the way to either form", () => {
    let reads = 0;
    const counting = (beside: object) => ({
      get x() {
        reads += 1;
        return 1;
      },
      ...beside,
    });
    encodeValue("cart", counting({}));
    expect(reads).toBe(1);
    encodeValue("cart", new Map([["k", counting({ at: new Date() })]]));
    expect(reads).toBe(2);
  });

  it("P9: a value of another realm comes back as one of this realm", () => {
    const foreign = vm.runInNewContext(
      "({ at: new Date(5), all: new Map([[1, new Set([new Float32Array(2)])]]) })",
    ) as {
      at: Date;
    };
    expect(foreign.at).not.toBeInstanceOf(Date);
    const back = decodeValue(encodeValue("key", foreign)) as { at: Date; all: Map<number, Set<Float32Array>> };
    expect([back.at, back.all, back.all.get(1), back]).toEqual([
      ...[expect.any(Date), expect.any(Map), expect.any(Set)],
      expect.any(Object),
    ]);
    expect([...(back.all.get(1) ?? [])][0]).toBeInstanceOf(Float32Array);
  });

  it("P9: what is nested too deep is refused, and overflows no stack", () => {
    const deep: Record<string, unknown> = {};
    let inner = deep;
    for (let depth = 0; depth < 100_000; depth += 1) inner = inner.x = {};
    expect(() => encodeValue("deep", deep)).toThrow("nested deeper than 1000 levels");
  });

  it("takes plain objects and arrays of another realm as JSON", () => {
    expect(encodeValue("key", vm.runInNewContext("({ a: [1, { b: 2 }] })"))).toBe('{"a":[1,{"b":2}]}');
  });

  it("writes plain JSON as text, and the rest as bytes", () => {
    expect(encodeValue("key", { a: [1, "x", null] })).toBe('{"a":[1,"x",null]}');
    expect(encodeValue("key", { a: new Date(0) })).toBeInstanceOf(Uint8Array);
  });

  it("returns nothing that shares memory with what is stored", () => {
    const stored = encodeValue("key", new Float64Array([1, 2])) as Uint8Array;
    const before = Buffer.from(stored);
    (decodeValue(stored) as Float64Array).fill(9);
    expect(Buffer.compare(stored, before)).toBe(0);
  });

  it("P9: any JSON value comes back equal, and is encoded the same each time", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const encoded = encodeValue("key", value);
        const back = decodeValue(encoded);
        expect(back).toEqual(value);
        expect(sameEncoded(encodeValue("key", back), encodeValue("key", back))).toBe(true);
        if (typeof encoded === "string") expect(encodeValue("key", back)).toBe(encoded);
      }),
    );
  });

  it("P9: any value of the accepted kinds comes back equal", () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withTypedArray: true,
    });
    fc.assert(
      fc.property(anything, (value) => {
        expect(fingerprint(decodeValue(encodeValue("key", value)))).toEqual(fingerprint(value));
      }),
    );
  });
});
