/**
 * The prototype that all requests, or all responses, of one Express share: the last one before Node's own class.
 * Undefined where the object is not Express's.
 */
export function sharedPrototype(object: object, nodeClass: { readonly prototype: object }): object | undefined {
  let below: object | undefined;
  for (let above = prototypeOf(object); above !== null; above = prototypeOf(above)) {
    if (above === nodeClass.prototype) return below;
    below = above;
  }
  return undefined;
}

function prototypeOf(object: object): object | null {
  return Object.getPrototypeOf(object) as object | null;
}
