import { types } from "node:util";
import { deserialize, serialize } from "node:v8";
import { builtInName } from "./value-kind";

/** Whether `node:v8` makes objects of another realm than the one this code runs in, as where a test runner has put it in a context of its own. */
let isForeign: boolean | undefined;

/**
 * Makes what `node:v8` has just made `instanceof` the classes that the app sees. In place: an object keeps its content whatever prototype it has.
 * Outside of a test runner there is nothing to do.
 */
export function intoOwnRealm(value: unknown): unknown {
  isForeign ??= !(deserialize(serialize(new Map())) instanceof Map);
  if (isForeign) move(value, new Set());
  return value;
}

function move(value: unknown, seen: Set<object>): void {
  if (typeof value !== "object" || value === null || seen.has(value)) return;
  seen.add(value);
  const prototype = ownPrototype(value);
  if (prototype !== undefined) Object.setPrototypeOf(value, prototype);
  if (types.isMap(value)) for (const entry of value) for (const part of entry) move(part, seen);
  else if (types.isSet(value)) for (const item of value) move(item, seen);
  else if (!ArrayBuffer.isView(value)) for (const item of Object.values(value)) move(item, seen);
}

/** The prototype that objects of this class have here; undefined where it is none of the language. */
function ownPrototype(value: object): object | undefined {
  const name = builtInName(Object.getPrototypeOf(value) as object);
  // Node's own class, of which there is one.
  if (name === undefined || name === "Buffer") return undefined;
  return (Reflect.get(globalThis, name) as { readonly prototype: object }).prototype;
}
