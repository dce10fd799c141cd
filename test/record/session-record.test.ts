import { dictionary } from "../../lib/record/session-record";

const INHERITED = ["__proto__", "constructor", "toString", "hasOwnProperty", "prototype"];

it("a dictionary inherits nothing", () => {
  for (const name of INHERITED) expect(name in dictionary()).toBe(false);
});

it("P9: a dictionary has the names of what objects inherit as keys like any other, and shares them with no other dictionary", () => {
  const one = dictionary<string>();
  for (const name of INHERITED) one[name] = `my ${name}`;
  expect(Object.entries(one)).toEqual(INHERITED.map((name) => [name, `my ${name}`]));
  expect(Object.keys(Object.assign(dictionary(), one))).toEqual(INHERITED);
  for (const name of INHERITED) expect(name in dictionary()).toBe(false);
});

it("a dictionary can't be made to inherit anything by changing its prototype", () => {
  const above = Object.getPrototypeOf(dictionary()) as Record<string, unknown>;
  expect(() => (above.leaked = 1)).toThrow(TypeError);
  expect(() => Object.setPrototypeOf(above, { leaked: 1 })).toThrow(TypeError);
  expect("leaked" in dictionary()).toBe(false);
});

it("a dictionary keeps any number of keys, in their order", () => {
  const many = dictionary<number>();
  for (let n = 0; n < 5000; n += 1) many[`key ${n}`] = n;
  for (let n = 0; n < 5000; n += 2) Reflect.deleteProperty(many, `key ${n}`);
  expect(Object.keys(many)).toEqual(Array.from({ length: 2500 }, (_, n) => `key ${2 * n + 1}`));
});
