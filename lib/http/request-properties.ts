import { IncomingMessage } from "node:http";
import { sharedPrototype } from "./hold/response-hooks";
import type { HttpSettings } from "./http-settings";
import type { RequestSession } from "./request-session";

/** Under this key a request keeps its session. */
export const REQUEST_SESSION = Symbol("coatcheck.requestSession");

export interface RequestWithSession extends IncomingMessage {
  [REQUEST_SESSION]?: RequestSession;
}

const PREPARED = Symbol("coatcheck.prepared");

/**
 * Gives a request `session`, `sessionID` and `sessionStore`. The first is a property of its own: only such a one can be deleted, and is noticed where it is.
 * The others are, with Express, accessors on the prototype that its requests share, which cost a request nothing.
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
  if (!isShared || Object.hasOwn(req, "sessionID")) Object.defineProperties(req, OTHERS);
}

/** The ids of the tokens that a request carries, where none of them opened anything in the middleware of these settings. */
export function deadIdsOf(req: RequestWithSession, settings: HttpSettings | undefined): readonly string[] {
  return (settings === undefined ? undefined : req[REQUEST_SESSION]?.deadIds(settings)) ?? [];
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
  Object.defineProperties(shared, OTHERS);
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

const OTHERS: PropertyDescriptorMap & ThisType<RequestWithSession> = {
  sessionID: {
    configurable: true,
    enumerable: true,
    get() {
      return this[REQUEST_SESSION]?.session?.id;
    },
    set(value: unknown) {
      // Only a request without our session has an id of another library.
      if (this[REQUEST_SESSION] === undefined) own(this, "sessionID", value);
    },
  },
  sessionStore: {
    configurable: true,
    // It is for libraries that ask for it; what lists a request's properties must not make it.
    enumerable: false,
    get() {
      return this[REQUEST_SESSION]?.sessionStore;
    },
    set(value: unknown) {
      own(this, "sessionStore", value);
    },
  },
};

function own(req: IncomingMessage, name: string, value: unknown): void {
  Object.defineProperty(req, name, { value, writable: true, enumerable: true, configurable: true });
}
