import { kindOf, MAX_DEPTH, strayKey } from "./value-kind";

/** A copy, and whether there is something in it that can't be stored: that is in the copy as it was. */
export interface StorableCopy {
  readonly copy: unknown;
  readonly isRefused: boolean;
}

/**
 * Copies a value part by part, cycles and shared objects included; bytes and dates stay the same objects. What is checked must be what is
 * stored, and of the copy nothing changes between the two, as what a getter returns may.
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
