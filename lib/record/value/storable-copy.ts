import { types } from "node:util";
import { kindOf, MAX_DEPTH, strayKey } from "./value-kind";

/** A copy, and whether it has a part that can't be stored, which the copy has as it was. */
export interface StorableCopy {
  readonly copy: unknown;
  readonly isRefused: boolean;
}

/**
 * Copies a value part by part, cycles and shared objects included; bytes and dates stay the same objects. What was
 * checked must be what is stored: unlike a value with getters, the copy can't change between the two.
 */
export function storableCopy(value: unknown): StorableCopy {
  const copier = new Copier();
  return { copy: copier.copyOf(value, 0), isRefused: copier.isRefused };
}

class Copier {
  isRefused = false;
  readonly #copies = new Map<object, object>();

  copyOf(value: unknown, depth: number): unknown {
    if (typeof value === "function" || typeof value === "symbol") return this.#refused(value);
    if (typeof value !== "object" || value === null) return value;
    return this.#copies.get(value) ?? this.#objectCopy(value, depth);
  }

  #objectCopy(object: object, depth: number): object {
    const kind = depth < MAX_DEPTH ? kindOf(object) : undefined;
    if (kind === undefined || strayKey(object, kind) !== undefined) return this.#refused(object);
    switch (kind) {
      case "Object":
      case "Array":
        return this.#withProperties(object, kind === "Array" ? [] : {}, depth);
      case "Map":
        return this.#mapCopy(object as Map<unknown, unknown>, depth);
      case "Set":
        return this.#setCopy(object as Set<unknown>, depth);
      default:
        return object;
    }
  }

  #withProperties(object: object, copy: object, depth: number): object {
    this.#copies.set(object, copy);
    for (const key of Object.keys(object)) {
      const value = this.copyOf((object as Record<string, unknown>)[key], depth + 1);
      // An assignment to `__proto__` would set the prototype.
      if (key === "__proto__") {
        Object.defineProperty(copy, key, { value, writable: true, enumerable: true, configurable: true });
      } else {
        (copy as Record<string, unknown>)[key] = value;
      }
    }
    // An array may end in holes.
    if (Array.isArray(object)) (copy as unknown[]).length = object.length;
    return copy;
  }

  #mapCopy(map: Map<unknown, unknown>, depth: number): object {
    const copy = new Map<unknown, unknown>();
    this.#copies.set(map, copy);
    for (const [key, value] of map) {
      copy.set(this.copyOf(key, depth + 1), this.copyOf(value, depth + 1));
    }
    return copy;
  }

  #setCopy(set: Set<unknown>, depth: number): object {
    const copy = new Set<unknown>();
    this.#copies.set(set, copy);
    for (const value of set) copy.add(this.copyOf(value, depth + 1));
    return copy;
  }

  #refused<T>(value: T): T {
    this.isRefused = true;
    return value;
  }
}

/** The first part of a value that can't be stored: where it is, what it is, and what to do instead. */
export interface RefusedPart {
  readonly path: string;
  readonly is: string;
  readonly instead: string;
}

/**
 * Finds in the copy what `storableCopy` refused. It is a second walk, so that the first, which every save takes, need
 * not keep paths.
 */
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
      // Named by its position: the keys of a Map are values too, and must be in no message.
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

/** A property that an object of this kind would lose. */
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
