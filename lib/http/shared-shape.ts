import { IncomingMessage } from "node:http";
import type { ServerResponse } from "node:http";

/** From V8 13 on (Node 24), objects whose prototypes were changed in the same way have one shape, as other objects do. */
const isNeeded = Number.parseInt(process.versions.v8, 10) < 13;

const FIRST = Symbol("coatcheck.first");
const SECOND = Symbol("coatcheck.second");

/**
 * Gives the requests, and the responses, of an Express one shape. Express changes their prototypes, and every property that is added after that makes
 * for V8 a shape of its own, so that Node, Express and the app look up each of their properties anew. An object that loses a property
 * other than its last one V8 keeps as a hash table, and hash tables with one prototype share one shape.
 */
export function shareShapes(req: IncomingMessage, res: ServerResponse): void {
  if (!isNeeded || Object.getPrototypeOf(req) === IncomingMessage.prototype) return;
  makeHashTable(req);
  makeHashTable(res);
}

function makeHashTable(object: object): void {
  const marked = object as { [FIRST]?: undefined; [SECOND]?: undefined };
  marked[FIRST] = undefined;
  marked[SECOND] = undefined;
  // A property that has gone leaves nothing behind but the kind of the object.
  Reflect.deleteProperty(object, FIRST);
  Reflect.deleteProperty(object, SECOND);
}
