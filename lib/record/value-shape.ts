import { types } from "node:util";

/** How a value can be stored: as JSON text, as a structured clone, or not at all. */
export type ValueShape = "json" | "clone" | "refused";

/** How deep a value may be nested. */
export const MAX_DEPTH = 1000;

/**
 * The acceptance walk. "json" means that `JSON.parse(JSON.stringify(value))` gives an equal value; whatever JSON would lose
 * or change (undefined, NaN, −0, bigint, Date, Map, cycles, holes, …) is "clone"; what neither can hold is "refused".
 */
export function valueShape(value: unknown): ValueShape {
  if (typeof value === "object" && value !== null) return objectShape(value, new Set(), 0);
  return primitiveShape(value);
}

function primitiveShape(value: unknown): ValueShape {
  switch (typeof value) {
    case "string":
    case "boolean":
      return "json";
    case "number":
      return Number.isFinite(value) && !Object.is(value, -0) ? "json" : "clone";
    case "bigint":
    case "undefined":
      return "clone";
    default:
      return value === null ? "json" : "refused";
  }
}

function objectShape(object: object, seen: Set<object>, depth: number): ValueShape {
  // A second visit is a cycle or a shared object, which JSON can't express.
  if (seen.has(object)) return "clone";
  if (depth >= MAX_DEPTH || !isStorableObject(object)) return "refused";
  seen.add(object);
  let shape: ValueShape = isJsonContainer(object) ? "json" : "clone";
  for (const child of childrenOf(object)) {
    const childShape =
      typeof child === "object" && child !== null ? objectShape(child, seen, depth + 1) : primitiveShape(child);
    if (childShape === "refused") return "refused";
    if (childShape === "clone") shape = "clone";
  }
  return shape;
}

function isJsonContainer(object: object): boolean {
  if (Object.getPrototypeOf(object) === Object.prototype) return true;
  return Array.isArray(object) ? isDense(object) : inheritance(object) <= 1;
}

/** Whether an array has all its items, and nothing beside them. */
function isDense(array: unknown[]): boolean {
  return Object.keys(array).length === array.length;
}

/** What a container holds. Bytes and dates hold nothing that could be refused. */
export function childrenOf(object: object): Iterable<unknown> {
  if (Array.isArray(object)) return isDense(object) ? (object as unknown[]) : Object.values<unknown>(object);
  if (Object.getPrototypeOf(object) === Object.prototype)
    return Object.values<unknown>(object as Record<string, unknown>);
  if (types.isMap(object)) return [...object.keys(), ...object.values()];
  if (types.isSet(object)) return object;
  if (ArrayBuffer.isView(object)) return [];
  return Object.values<unknown>(object as Record<string, unknown>);
}

/**
 * Whether an object is of a kind that comes back as it went in. Kinds are told by their inheritance and internal slots, not by `instanceof`,
 * so that values from another realm (a test runner's, a worker's) are known too and subclasses are not mistaken for the
 * class that they extend.
 */
export function isStorableObject(object: object): boolean {
  if (Object.getOwnPropertySymbols(object).length > 0) return false;
  if (Object.getPrototypeOf(object) === Object.prototype) return true;
  switch (inheritance(object)) {
    case 0:
    case 1:
      return true;
    case 2:
      return (
        Array.isArray(object) ||
        types.isDate(object) ||
        types.isMap(object) ||
        types.isSet(object) ||
        types.isArrayBuffer(object)
      );
    case 3:
      return types.isTypedArray(object);
    default:
      return Buffer.isBuffer(object);
  }
}

/** How many prototypes an object has: none, `Object.prototype` alone (a plain object), or more. */
function inheritance(object: object): number {
  let count = 0;
  for (let above: unknown = Object.getPrototypeOf(object); above !== null; count += 1) {
    above = Object.getPrototypeOf(above);
  }
  return count;
}
