import type { IncomingMessage, ServerResponse } from "node:http";
import { currentHolder } from "../session/current-session";
import "./express-types";
import { holdResponse } from "./hold-response";
import type { HttpSettings } from "./http-settings";
import { hasBody, keepCurrent } from "./request-body";
import { RequestSession } from "./request-session";

type Next = (error?: unknown) => void;

/** Express middleware, also for what is only like Express: `(req, res, next)`. */
export type SessionHandler = (req: IncomingMessage, res: ServerResponse, next: Next) => void;

const REQUEST_SESSION = Symbol("coatcheck.requestSession");

interface RequestWithSession extends IncomingMessage {
  [REQUEST_SESSION]?: RequestSession;
}

// One descriptor serves all requests: nothing is made per request but the property itself.
const SESSION_PROPERTIES: PropertyDescriptorMap & ThisType<RequestWithSession> = {
  session: {
    configurable: true,
    enumerable: true,
    get() {
      return this[REQUEST_SESSION]?.session;
    },
    set(value: unknown) {
      if (this[REQUEST_SESSION] !== undefined) this[REQUEST_SESSION].session = value;
    },
  },
  sessionID: {
    configurable: true,
    enumerable: true,
    get() {
      return this[REQUEST_SESSION]?.session?.id;
    },
  },
};

/** Puts the session on each request, and holds each response until what it depends on is stored. Mounted twice, it does so once. */
export function sessionHandler(settings: HttpSettings): SessionHandler {
  return (req: RequestWithSession, res, next) => {
    if (req[REQUEST_SESSION]?.belongsTo(settings) === true) {
      next();
      return;
    }
    const requestSession = new RequestSession(settings, req, res, req[REQUEST_SESSION]);
    const proceed = () => {
      req[REQUEST_SESSION] = requestSession;
      Object.defineProperties(req, SESSION_PROPERTIES);
      holdResponse(res, requestSession, next);
      if (hasBody(req)) keepCurrent(req, requestSession);
      currentHolder.run(requestSession, next);
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
