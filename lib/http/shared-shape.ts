import { IncomingMessage } from "node:http";
import type { ServerResponse } from "node:http";

/** From V8 13 on (Node 24), objects whose prototypes were changed in the same way have one shape, as other objects do. */
const isNeeded = Number.parseInt(process.versions.v8, 10) < 13;

/**
 * Gives the requests, and the responses, of an Express one shape. Express changes their prototypes, and every property that is added after that makes
 * for V8 a shape of its own, so that Node, Express and the app look up each of their properties anew. An object that loses a property
 * other than its last one V8 keeps as a hash table, and hash tables with one prototype share one shape.
 *
 * So each of the two loses a property that Node gives it early, and gets it back at once, now as its last.
 */
export function shareShapes(req: IncomingMessage, res: ServerResponse): void {
  if (!isNeeded || Object.getPrototypeOf(req) === IncomingMessage.prototype) return;
  putBack(req, "httpVersionMajor");
  putBack(res, "sendDate");
}

/** Exactly as it was, also where an app has defined it in a way of its own. */
function putBack(object: object, key: string): void {
  const own = Object.getOwnPropertyDescriptor(object, key);
  if (own === undefined || !Object.isExtensible(object)) return;
  if (Reflect.deleteProperty(object, key)) Object.defineProperty(object, key, own);
}
