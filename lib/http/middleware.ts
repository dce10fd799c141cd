import { IncomingMessage } from "node:http";
import type { ServerResponse } from "node:http";
import { currentHolder } from "../session/current-session";
import "./express-types";
import { keepCurrent } from "./bind-listeners";
import { hasBody, REQUEST_SESSION } from "./exchange";
import type { RequestWithSession } from "./exchange";
import { holdResponse } from "./hold/hold-response";
import { sharedPrototype } from "./hold/hold-response";
import type { HttpSettings } from "./http-settings";
import { RequestSession } from "./request-session";

const NOT_OURS =
  "Something set req.session before sessionMiddleware, so it was left alone and is not coatcheck's session. Remove what sets it, or mount that after sessionMiddleware.";

const PREPARED = Symbol("coatcheck.prepared");

type Next = (error?: unknown) => void;

/** A middleware of Express, or of a framework like it: `(req, res, next)`. */
export type SessionHandler = (req: IncomingMessage, res: ServerResponse, next: Next) => void;

/**
 * Puts the session on each request, and holds each response until what it depends on is stored. Where it is mounted
 * twice, the second does nothing.
 */
export function sessionHandler(settings: HttpSettings): SessionHandler {
  return (req: RequestWithSession, res, next) => {
    const earlier = req[REQUEST_SESSION];
    if (earlier?.belongsTo(settings) === true) {
      next();
      return;
    }
    const requestSession = new RequestSession(settings, req, res, earlier);
    const proceed = () => {
      const holder = requestSession.holder();
      showSession(req, holder);
      if (!holder.isShown) settings.warnOnce(NOT_OURS);
      holdResponse(res, requestSession, next);
      if (hasBody(req)) keepCurrent(req, holder);
      currentHolder.run(holder, next);
    };
    let loading: Promise<void> | undefined;
    try {
      loading = requestSession.load();
    } catch (error) {
      next(error);
      return;
    }
    if (loading === undefined) proceed();
    else loading.then(proceed, next);
  };
}

/**
 * Gives a request `session`, `sessionID` and `sessionStore`. `session` is the request's own property, so that an app's
 * `delete req.session` is noticed. With Express, the others are accessors on the prototype that its requests share,
 * which cost a request nothing.
 *
 * A `session` that somebody else has put there is left alone; `isShown` is false then.
 */
function showSession(req: RequestWithSession, requestSession: RequestSession): void {
  const before = req[REQUEST_SESSION];
  before?.endIfDeleted();
  req[REQUEST_SESSION] = requestSession;
  requestSession.isShown = before?.isShown === true || !hasAnother(req);
  if (!requestSession.isShown) return;
  Object.defineProperty(req, "session", SESSION);
  const { [PREPARED]: isPrepared } = Object.getPrototypeOf(req) as { readonly [PREPARED]?: true };
  const isShared = isPrepared === true || prepare(req);
  // What another library has put on this very request would hide the shared accessor.
  if (!isShared || Object.hasOwn(req, "sessionID")) Object.defineProperties(req, OTHERS);
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
    // It is made when a library reads it, and must not be made because somebody lists a request's properties.
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
