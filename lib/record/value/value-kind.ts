import { isDeepStrictEqual, types } from "node:util";

/** The kinds of objects that come back as they went in. */
export type ValueKind = "Object" | "Array" | "Map" | "Set" | "Date" | "ArrayBuffer" | "bytes";

/** How deep a value may be nested. */
export const MAX_DEPTH = 1000;

/**
 * The kind of an object; undefined for one that can't be stored. It is told by the prototype and the internal slots, so
 * that values of another realm (a test runner's, a worker's) are known too, and neither a subclass nor an object that
 * inherits data is taken for what it extends.
 */
export function kindOf(object: object): ValueKind | undefined {
  const above = Object.getPrototypeOf(object) as object | null;
  if (above === Object.prototype || above === null || inheritsNothing(above)) return plainKind(object);
  const name = builtInName(above);
  switch (name) {
    case undefined:
      return undefined;
    case "Object":
      return plainKind(object);
    case "Array":
      return Array.isArray(object) ? name : undefined;
    case "Map":
      return types.isMap(object) ? name : undefined;
    case "Set":
      return types.isSet(object) ? name : undefined;
    case "Date":
      return types.isDate(object) ? name : undefined;
    case "ArrayBuffer":
      return types.isArrayBuffer(object) ? name : undefined;
    default:
      return types.isTypedArray(object) ? "bytes" : undefined;
  }
}

/**
 * The name of a property that an object of this kind would lose: a symbol, or a property beside its content; undefined
 * where there is none. An array keeps the properties beside its items.
 */
export function strayKey(object: object, kind: ValueKind): PropertyKey | undefined {
  const [symbol] = Object.getOwnPropertySymbols(object);
  if (symbol !== undefined || kind === "Object" || kind === "Array") return symbol;
  if (kind !== "bytes") return Object.getOwnPropertyNames(object)[0];
  const bytes = object as Uint8Array;
  // Both are the same memory. Listing the names would make a string of every position.
  return isDeepStrictEqual(bytes, sameBytes(bytes)) ? undefined : Object.keys(bytes)[bytes.length];
}

function plainKind(object: object): ValueKind | undefined {
  return Array.isArray(object) ? undefined : "Object";
}

/** `cookie`, `querystring` and others make objects that inherit from an empty prototype. */
function inheritsNothing(above: object): boolean {
  return Object.getPrototypeOf(above) === null && Reflect.ownKeys(above).length === 0;
}

/** The text of a built-in function, which no other function has. */
const NATIVE = /^function (\w+)\(\) \{ \[native code\] \}$/;
/** The names by prototype: each realm has one prototype of each class. */
const builtInNames = new WeakMap<object, string>([[Buffer.prototype, "Buffer"]]);

/** The name of the class that has this prototype, where it is a class of the language, or Buffer. */
export function builtInName(prototype: object): string | undefined {
  const known = builtInNames.get(prototype);
  if (known !== undefined) return known;
  const maker: unknown = Object.getOwnPropertyDescriptor(prototype, "constructor")?.value;
  if (typeof maker !== "function" || maker.prototype !== prototype) return undefined;
  const name = NATIVE.exec(Function.prototype.toString.call(maker))?.[1];
  if (name !== undefined) builtInNames.set(prototype, name);
  return name;
}

function sameBytes(bytes: Uint8Array): Uint8Array {
  const { buffer, byteOffset, byteLength, length } = bytes;
  if (Buffer.isBuffer(bytes)) return Buffer.from(buffer, byteOffset, byteLength);
  const { constructor: Kind } = Object.getPrototypeOf(bytes) as { constructor: Uint8ArrayConstructor };
  return new Kind(buffer, byteOffset, length);
}
