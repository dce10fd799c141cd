import { IncomingMessage } from "node:http";
import type { RequestSession } from "./request-session";
import { REQUEST_SESSION } from "./request-slot";
import type { RequestWithSession } from "./request-slot";
import { sharedPrototype } from "./shared-prototype";

const PREPARED = Symbol("coatcheck.prepared");

/**
 * Gives a request `session` and `sessionID`. The first is a property of its own: only such a one can be deleted, and is noticed where it is. The second is,
 * with Express, an accessor on the prototype that its requests share, which costs a request nothing.
 *
 * Leaves a `session` alone that somebody else has put there; `isShown` tells.
 */
export function showSession(req: RequestWithSession, requestSession: RequestSession): void {
  const before = req[REQUEST_SESSION];
  before?.endIfDeleted();
  req[REQUEST_SESSION] = requestSession;
  requestSession.isShown = before?.isShown === true || !hasAnother(req);
  if (!requestSession.isShown) return;
  Object.defineProperty(req, "session", SESSION);
  const { [PREPARED]: isPrepared } = Object.getPrototypeOf(req) as { readonly [PREPARED]?: true };
  const isShared = isPrepared === true || prepare(req);
  // What another library has put on this very request would stand before the shared one.
  if (!isShared || Object.hasOwn(req, "sessionID")) Object.defineProperty(req, "sessionID", SESSION_ID);
}

/** Whether there is a `session` already: on the request, or, by `app.request`, on all of them. */
function hasAnother(req: RequestWithSession): boolean {
  if (!("session" in req)) return false;
  const own = Object.getOwnPropertyDescriptor(req, "session");
  return own === undefined || own.get !== undefined || (own.value !== undefined && own.value !== null);
}

/** Prepares the shared prototype. False where there is none, or where somebody else has a `sessionID` there. */
function prepare(req: RequestWithSession): boolean {
  const shared = sharedPrototype(req, IncomingMessage);
  if (shared === undefined || "sessionID" in shared || "sessionID" in req) return false;
  Object.defineProperty(shared, "sessionID", SESSION_ID);
  Object.defineProperty(shared, PREPARED, { value: true });
  return true;
}

const SESSION: PropertyDescriptor & ThisType<RequestWithSession> = {
  configurable: true,
  enumerable: true,
  get() {
    return this[REQUEST_SESSION]?.session;
  },
  set(value: unknown) {
    if (this[REQUEST_SESSION] !== undefined) this[REQUEST_SESSION].session = value;
  },
};

const SESSION_ID: PropertyDescriptor & ThisType<RequestWithSession> = {
  configurable: true,
  enumerable: true,
  get() {
    return this[REQUEST_SESSION]?.session?.id;
  },
  set(value: unknown) {
    // Only a request without our session has an id of another library.
    if (this[REQUEST_SESSION] !== undefined) return;
    Object.defineProperty(this, "sessionID", { value, writable: true, enumerable: true, configurable: true });
  },
};
