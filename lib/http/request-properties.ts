import { IncomingMessage } from "node:http";
import type { RequestSession } from "./request-session";
import { REQUEST_SESSION } from "./request-slot";
import type { RequestWithSession } from "./request-slot";
import { sharedPrototype } from "./shared-prototype";

const PREPARED = Symbol("coatcheck.prepared");

/**
 * Gives a request `session` and `sessionID`. With Express they are accessors on the prototype that its requests share: properties of their own
 * would make every request an object of another shape, which costs Node several times what our work does.
 */
export function addSessionProperties(req: RequestWithSession, requestSession: RequestSession): void {
  req[REQUEST_SESSION] = requestSession;
  const { [PREPARED]: isPrepared } = Object.getPrototypeOf(req) as { readonly [PREPARED]?: true };
  const isShared = isPrepared === true || prepare(req);
  // What another library has put on this very request would stand before the shared ones.
  if (!isShared || Object.hasOwn(req, "session") || Object.hasOwn(req, "sessionID")) {
    Object.defineProperties(req, PROPERTIES);
  }
}

/** Prepares the shared prototype. False where there is none, or where somebody else has a `session` there. */
function prepare(req: RequestWithSession): boolean {
  const shared = sharedPrototype(req, IncomingMessage);
  if (shared === undefined || "session" in shared || "session" in req) return false;
  Object.defineProperties(shared, PROPERTIES);
  Object.defineProperty(shared, PREPARED, { value: true });
  return true;
}

const PROPERTIES: PropertyDescriptorMap & ThisType<RequestWithSession> = {
  session: {
    configurable: true,
    enumerable: true,
    get() {
      return this[REQUEST_SESSION]?.session;
    },
    set(value: unknown) {
      if (this[REQUEST_SESSION] === undefined) own(this, "session", value);
      else this[REQUEST_SESSION].session = value;
    },
  },
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
};

/** What an assignment does to a request that our middleware has not seen. */
function own(req: IncomingMessage, name: string, value: unknown): void {
  Object.defineProperty(req, name, { value, writable: true, enumerable: true, configurable: true });
}
