import type { IncomingMessage } from "node:http";
import type { RequestSession } from "./request-session";

/**
 * Under this key a request keeps its session, and with it the hold of its response. Express changes the prototype of both; what is added to an
 * object after that gives it a shape of its own, and V8 looks up all its properties anew. So only one is added, and not to the response, on
 * which Node and Express have most to look up.
 */
export const REQUEST_SESSION = Symbol("coatcheck.requestSession");

export interface RequestWithSession extends IncomingMessage {
  [REQUEST_SESSION]?: RequestSession;
}
