import { types } from "node:util";
import { kindOf, MAX_DEPTH, strayKey } from "./value-kind";

/** The first part of a value that can't be stored: where it is, what it is, and what to do instead. */
export interface RefusedPart {
  readonly path: string;
  readonly is: string;
  readonly instead: string;
}

/** Finds what `storableCopy` refused, in the copy. It walks a second time, so that the first walk, which is on every save, keeps no paths. */
export function refusedPart(path: string, value: unknown): RefusedPart {
  return find(path, value, new Set(), 0) ?? { path, is: "a value of an unknown kind", instead: "store plain data" };
}

function find(path: string, value: unknown, seen: Set<object>, depth: number): RefusedPart | undefined {
  if (typeof value === "function") {
    return { path, is: "a function", instead: "store the data it works on" };
  }
  if (typeof value === "symbol") return { path, is: "a symbol", instead: "store its description" };
  if (typeof value !== "object" || value === null || seen.has(value)) return undefined;
  if (depth >= MAX_DEPTH) {
    return { path, is: `nested deeper than ${MAX_DEPTH} levels`, instead: "store a flatter value" };
  }
  seen.add(value);
  const kind = kindOf(value);
  if (kind === undefined) return { path, ...describe(value) };
  const stray = strayKey(value, kind);
  if (stray !== undefined) return strayPart(path, value, stray);
  for (const [step, child] of steps(value)) {
    const refused = find(path + step, child, seen, depth + 1);
    if (refused !== undefined) return refused;
  }
  return undefined;
}

function* steps(container: object): Generator<[string, unknown]> {
  if (ArrayBuffer.isView(container)) return;
  if (types.isMap(container)) {
    let position = 0;
    for (const [key, value] of container) {
      // By its place: the keys of a Map are values too, and in no message.
      yield [`.keys()[${position}]`, key];
      yield [`.values()[${position}]`, value];
      position += 1;
    }
  } else if (types.isSet(container)) {
    let position = 0;
    for (const value of container) yield [`.values()[${position++}]`, value];
  } else {
    const isArray = Array.isArray(container);
    for (const [key, value] of Object.entries(container)) yield [step(key, isArray), value];
  }
}

function step(key: string, inArray: boolean): string {
  if (inArray && /^\d+$/.test(key)) return `[${key}]`;
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}

/** A property that the kind of the object would lose. */
function strayPart(path: string, object: object, key: PropertyKey): RefusedPart {
  if (typeof key === "symbol") return { path, is: "an object with symbol keys", instead: "use string keys" };
  const beside = `store it beside the ${className(object)}`;
  return { path: path + step(String(key), false), is: `a property of a ${className(object)}`, instead: beside };
}

function describe(object: object): Omit<RefusedPart, "path"> {
  if (types.isPromise(object)) return { is: "a promise", instead: "await it and store its result" };
  if (types.isNativeError(object)) return { is: "an Error", instead: "store its message" };
  if (types.isRegExp(object)) return { is: "a RegExp", instead: "store its source and flags" };

  if (types.isBoxedPrimitive(object)) return { is: "a boxed primitive", instead: "store value.valueOf()" };
  const name = className(object);
  if (name === "URL") return { is: "a URL", instead: "store url.href" };
  if (name === "Object") {
    return { is: "an object that inherits from another", instead: "store a plain object with all of the data" };
  }
  return { is: `an instance of ${name}`, instead: "store a plain object with its data, for example { ...value }" };
}

function className(object: object): string {
  const maker: unknown = object.constructor;
  return typeof maker === "function" && maker.name !== "" ? maker.name : "an unnamed class";
}
