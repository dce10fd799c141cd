/** An empty map without a prototype: every string is a plain key in it, `__proto__` included. */
export function dictionary<T>(): Record<string, T> {
  return Object.create(null) as Record<string, T>;
}
