/** Makes a value that can be stored: a new one each time, so that no test changes another's. */
export type StorableValue = readonly [name: string, make: () => unknown];

/** One of every kind that a session keeps. */
export const STORABLE: readonly StorableValue[] = [
  ["null", () => null],
  ["booleans", () => [true, false]],
  ["numbers", () => [0, 1, -1.5, Number.MAX_VALUE, Number.MIN_VALUE, Number.MAX_SAFE_INTEGER]],
  ["NaN", () => NaN],
  ["−0", () => -0],
  ["−0 inside", () => ({ list: [-0] })],
  ["the infinities", () => ({ up: Infinity, down: -Infinity })],
  ["strings, lone surrogates too", () => ["", "é🍵", "\ud800", "\u0000", "x".repeat(5000)]],
  ["a bigint", () => 2n ** 80n],
  ["a Date", () => new Date(5)],
  ["an invalid Date", () => ({ at: new Date(NaN) })],
  ["a Map", () => new Map<unknown, unknown>([["a", 1], [{ k: 1 }, new Map([[NaN, -0]])]])], // prettier-ignore
  ["a Set", () => new Set([1, "1", null, undefined])],
  ["an array with holes", () => [1, , 3]], // eslint-disable-line no-sparse-arrays -- the hole is what is tested
  ["undefined inside", () => ({ a: undefined, b: [undefined] })],
  ["undefined itself", () => undefined],
  ["an ArrayBuffer", () => new Uint8Array([1, 2, 3]).buffer],
  ["typed arrays", () => [new Float64Array([1.5, NaN]), new Uint16Array([65535]), new BigInt64Array([-1n])]],
  ["a view of a part of its buffer", () => new Uint8Array([1, 2, 3, 4]).subarray(1, 3)],
  ["a Buffer", () => Buffer.from("tea")],
  ["a cycle", cycle],
  ["a shared object", shared],
  ["names beside the items of an array, and holes", () => Object.assign([1, , { a: 1 }], { total: 4 })], // eslint-disable-line no-sparse-arrays -- the hole is what is tested
  [
    "above which is an empty prototype",
    () => Object.assign(Object.create(Object.create(null) as object) as object, { a: 1 }),
  ],
  ["a getter", () => ({ get total() { return 4; } })], // prettier-ignore
  ["a getter beside a Date", () => ({ get total() { return 4; }, at: new Date(5) })], // prettier-ignore
  ["a getter that returns something else each time", () => ({ value: changing(1, () => 2) })],
  ["keys like __proto__", () => JSON.parse('{"__proto__":{"a":1},"constructor":2,"":3,"a.b":4}') as unknown],
  ["all together", () => new Map(STORABLE.slice(0, -1).map(([name, make]) => [name, make()]))],
];

/** Values that a session refuses, as `cart`, and how the message begins. */
export const REFUSED: readonly (readonly [name: string, make: () => unknown, message: string])[] = [
  ["a function", () => ({ items: [1, 2, 3, { toPrice: () => 1 }] }), "cart.items[3].toPrice is a function"],
  [
    "a class instance",
    () =>
      new (class Tea {
        name = "assam";
      })(),
    "cart is an instance of Tea",
  ],
  ["an Error", () => [new Error("secret value")], "cart[0] is an Error"],
  ["a URL", () => ({ "a b": new URL("http://example.test") }), 'cart["a b"] is a URL'],
  ["a promise", () => ({ p: Promise.resolve(1) }), "cart.p is a promise"],
  ["what is in a Map", () => new Map([["k", () => 1]]), "cart.values()[0] is a function"],
  ["a symbol", () => ({ s: Symbol("x") }), "cart.s is a symbol"],
  ["a property of a Map", () => ({ m: Object.assign(new Map(), { total: 1 }) }), "cart.m.total is a property of a Map"],
  ["a property of a Set", () => [Object.assign(new Set(), { "a b": 1 })], 'cart[0]["a b"] is a property of a Set'],
  ["a property of a Date", () => Object.assign(new Date(), { zone: "UTC" }), "cart.zone is a property of a Date"],
  [
    "a hidden property of a Map",
    () => Object.defineProperty(new Map(), "x", { value: 1 }),
    "cart.x is a property of a",
  ],
  [
    "a symbol as a property of a Map",
    () => Object.assign(new Map(), { [Symbol("x")]: 1 }),
    "cart is an object with symbol",
  ],
  [
    "a property of a Buffer",
    () => ({ f: Object.assign(Buffer.from("tea"), { mime: "a/b" }) }),
    "cart.f.mime is a property of a Buffer",
  ],
  [
    "a property of a typed array",
    () => Object.assign(new Float64Array(2000), { unit: 1 }),
    "cart.unit is a property of a Float64Array",
  ],
  ["a property of an ArrayBuffer", () => Object.assign(new ArrayBuffer(2), { x: 1 }), "cart.x is a property of a"],
  ["a function beside the items of an array", () => Object.assign([1, , 3], { f: () => 1 }), "cart.f is a function"], // eslint-disable-line no-sparse-arrays -- holes are counted like names
  [
    "what is inherited",
    () => ({ o: Object.create({ price: 1 }) as object }),
    "cart.o is an object that inherits from another",
  ],
  [
    "what is inherited from further up",
    () => Object.create(Object.create(null, { a: { value: 1 } }) as object),
    "cart is an",
  ],
  [
    "a Map that inherits",
    () => Object.setPrototypeOf(new Map(), Object.create(Map.prototype, { a: { value: 1 } }) as object),
    "cart is an instance of Map",
  ],
  [
    "what a getter gives the second time",
    () => ({ total: changing(1, () => 2), at: new Date() }),
    "cart.total.value is a function",
  ],
];

/** An object whose `value` is at first the first, and from then on the second. */
function changing(first: unknown, second: unknown): unknown {
  let reads = 0;
  return { get value() { return (reads += 1) === 1 ? first : second; } }; // prettier-ignore
}

function cycle(): unknown {
  const loop: Record<string, unknown> = { name: "loop", list: [] };
  loop.self = loop;
  (loop.list as unknown[]).push(loop);
  return loop;
}

function shared(): unknown {
  const one = { a: [1] };
  return { first: one, second: one };
}

/**
 * A value as text that shows all differences: kinds, −0, holes, which objects are the same. Kinds are found without
 * `instanceof`, since what is read from a store may be of another realm than the test runner's.
 */
export function fingerprint(value: unknown, seen = new Map<object, number>()): string {
  if (typeof value !== "object" || value === null) {
    return Object.is(value, -0)
      ? "-0"
      : `${typeof value} ${typeof value === "string" ? JSON.stringify(value) : String(value)}`;
  }
  const known = seen.get(value);
  if (known !== undefined) return `#${known}`;
  seen.set(value, seen.size);
  const tag = Buffer.isBuffer(value) ? "Buffer" : Object.prototype.toString.call(value).slice(8, -1);
  const parts = contents(tag, value).map((part) => fingerprint(part, seen));
  const keys = ArrayBuffer.isView(value) ? [] : Object.keys(value);
  const properties = keys.map((key) => `${JSON.stringify(key)}: ${fingerprint(Reflect.get(value, key), seen)}`);
  return `${tag}(${[...parts, ...properties].join(", ")})`;
}

function contents(tag: string, value: object): unknown[] {
  if (tag === "Map") return [...(value as Map<unknown, unknown>)].flat(1);
  if (tag === "Set") return [...(value as Set<unknown>)];
  if (tag === "Date") return [(value as Date).getTime()];
  if (tag === "Array") return [(value as unknown[]).length];
  if (tag === "ArrayBuffer") return [...new Uint8Array(value as ArrayBuffer)];
  return ArrayBuffer.isView(value) ? [...(value as Uint8Array)] : [];
}
