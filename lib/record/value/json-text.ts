import { kindOf, MAX_DEPTH, strayKey } from "./value-kind";

/** The characters that `JSON.stringify` escapes. Surrogates in pairs are left to it as well. */
const ESCAPED = /["\\\u0000-\u001f\ud800-\udfff]/; // eslint-disable-line no-control-regex -- they are what has to be escaped

/**
 * The text that `JSON.stringify` would write, for a value that `JSON.parse` makes equal again; undefined for any other
 * value (undefined, NaN, −0, a bigint, a Date, a hole, a cycle, what can't be stored, …).
 *
 * It is not left to `JSON.stringify`, because what was checked must be what is stored: a getter could return something
 * else when it is read a second time.
 */
export function jsonText(value: unknown): string | undefined {
  return typeof value === "object" && value !== null ? objectText(value, new Set(), 0) : primitiveText(value);
}

function primitiveText(value: unknown): string | undefined {
  switch (typeof value) {
    case "string":
      return quoted(value);
    case "number":
      return Number.isFinite(value) && !Object.is(value, -0) ? String(value) : undefined;
    case "boolean":
      return value ? "true" : "false";
    default:
      return value === null ? "null" : undefined;
  }
}

/** An object that is visited a second time is a cycle or shared, which JSON can't express. */
function objectText(object: object, seen: Set<object>, depth: number): string | undefined {
  if (seen.has(object) || depth >= MAX_DEPTH) return undefined;
  seen.add(object);
  const kind = Object.getPrototypeOf(object) === Object.prototype ? "Object" : kindOf(object);
  if (kind !== "Object" && kind !== "Array") return undefined;
  if (strayKey(object, kind) !== undefined) return undefined;
  const keys = Object.keys(object);
  return kind === "Array"
    ? arrayText(object as unknown[], keys.length, seen, depth)
    : propertiesText(object as Record<string, unknown>, keys, seen, depth);
}

/**
 * A hole is read as undefined and has no JSON, so an array with as many names as items has no properties beside them.
 */
function arrayText(array: unknown[], names: number, seen: Set<object>, depth: number): string | undefined {
  const { length } = array;
  if (names !== length) return undefined;
  let text = "[";
  for (let at = 0; at < length; at += 1) {
    const item = array[at];
    const itemText =
      typeof item === "object" && item !== null ? objectText(item, seen, depth + 1) : primitiveText(item);
    if (itemText === undefined) return undefined;
    text += at === 0 ? itemText : `,${itemText}`;
  }
  return `${text}]`;
}

function propertiesText(
  object: Record<string, unknown>,
  keys: string[],
  seen: Set<object>,
  depth: number,
): string | undefined {
  let text = "{";
  for (const key of keys) {
    const item = object[key];
    const itemText =
      typeof item === "object" && item !== null ? objectText(item, seen, depth + 1) : primitiveText(item);
    if (itemText === undefined) return undefined;
    text += text.length === 1 ? `${quoted(key)}:${itemText}` : `,${quoted(key)}:${itemText}`;
  }
  return `${text}}`;
}

function quoted(text: string): string {
  return ESCAPED.test(text) ? JSON.stringify(text) : `"${text}"`;
}
