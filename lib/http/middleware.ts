import type { IncomingMessage, ServerResponse } from "node:http";
import { currentHolder } from "../session/current-session";
import "./express-types";
import { hasBody, keepCurrent } from "./bind-listeners";
import { holdResponse } from "./hold/hold-response";
import type { HttpSettings } from "./http-settings";
import { REQUEST_SESSION, showSession } from "./request-properties";
import type { RequestWithSession } from "./request-properties";
import { RequestSession } from "./request-session";

const NOT_OURS =
  "req.session was there before sessionMiddleware, so it was left as it is, and coatcheck's session is not to be had by it. Take out what puts it there, or mount it after sessionMiddleware.";

type Next = (error?: unknown) => void;

/** Express middleware, also for what is only like Express: `(req, res, next)`. */
export type SessionHandler = (req: IncomingMessage, res: ServerResponse, next: Next) => void;

/** Puts the session on each request, and holds each response until what it depends on is stored. Mounted twice, it does so once. */
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
