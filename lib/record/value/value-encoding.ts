import { deserialize, serialize } from "node:v8";
import { types } from "node:util";
import { SessionError } from "../../errors";
import { jsonText } from "./json-text";
import type { Encoded } from "../session-record";
import { refusedPart, storableCopy } from "./storable-copy";
import { shownText } from "../shown-text";
import { builtInName } from "./value-kind";

/**
 * What is stored for a value. Throws `SESSION_VALUE` with the path to the part that can't be stored, which begins with
 * `key`, and what to store instead.
 */
export function encodeValue(key: string, value: unknown): Encoded {
  const text = jsonText(value);
  if (text !== undefined) return text;
  const { copy, isRefused } = storableCopy(value);
  if (isRefused) {
    const { path, is, instead } = refusedPart(key, copy);
    throw new SessionError(
      "SESSION_VALUE",
      `${shownText(path)} is ${shownText(is)}, which a session can't hold; ${instead}.`,
    );
  }
  return encodeClone(key, copy);
}

function encodeClone(key: string, value: unknown): Uint8Array {
  try {
    return serialize(value);
  } catch {
    // V8's own message quotes the value, which belongs in no log.
    throw new SessionError("SESSION_VALUE", `${shownText(key)} can't be cloned; store plain data instead.`);
  }
}

/**
 * The value that was stored, made anew by every call. Throws what `JSON.parse` or `v8.deserialize` throws for damaged
 * input.
 */
export function decodeValue(encoded: Encoded): unknown {
  if (typeof encoded === "string") return JSON.parse(encoded) as unknown;
  // v8.deserialize returns views of its input; the copy keeps the stored bytes out of the app's hands.
  return intoOwnRealm(deserialize(Buffer.from(encoded)));
}

/** Whether two stored forms are the same, byte by byte. */
export function sameEncoded(a: Encoded, b: Encoded): boolean {
  if (typeof a === "string" || typeof b === "string") return a === b;
  return Buffer.compare(a, b) === 0;
}

/** The size of a stored form in bytes, as `maxBytes` counts it. */
export function encodedBytes(encoded: Encoded): number {
  return typeof encoded === "string" ? Buffer.byteLength(encoded) : encoded.byteLength;
}

/**
 * Whether `node:v8` makes objects of another realm than this code runs in, as it does where a test runner has given the
 * code its own context.
 */
let isForeign: boolean | undefined;

/**
 * Makes what `node:v8` returned `instanceof` the classes that the app sees. It is changed in place: an object keeps its
 * content whatever its prototype. Outside of a test runner there is nothing to do.
 */
function intoOwnRealm(value: unknown): unknown {
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

/** The prototype of this object's class in this realm; undefined where it is no class of the language. */
function ownPrototype(value: object): object | undefined {
  const name = builtInName(Object.getPrototypeOf(value) as object);
  // Buffer is Node's own class, of which there is only one.
  if (name === undefined || name === "Buffer") return undefined;
  return (Reflect.get(globalThis, name) as { readonly prototype: object }).prototype;
}
