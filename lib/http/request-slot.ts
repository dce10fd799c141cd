import type { IncomingMessage } from "node:http";
import type { RequestSession } from "./request-session";

/** Under this key a request keeps its session. */
export const REQUEST_SESSION = Symbol("coatcheck.requestSession");

export interface RequestWithSession extends IncomingMessage {
  [REQUEST_SESSION]?: RequestSession;
}
