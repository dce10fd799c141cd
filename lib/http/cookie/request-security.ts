import type { IncomingMessage, Server } from "node:http";

/** What is read of an Express app: the function that Express makes of its setting `trust proxy`. */
interface ExpressApp {
  get(setting: "trust proxy fn"): unknown;
  readonly settings: object;
}

/** Express's own `req.secure` follows `trust proxy`; `req.app` is the app that handles the request. */
interface ExpressRequest {
  readonly secure?: boolean;
  readonly app?: ExpressApp;
}

/** Tells whether a request came over HTTPS, also one that never reaches Express: an upgrade to a websocket. */
export class RequestSecurity {
  /** The app of requests that did reach Express. */
  #app: ExpressApp | undefined;

  /** Undefined where that can't be known: a proxy may have ended the HTTPS. */
  isHttps(req: IncomingMessage): boolean | undefined {
    const { secure, app } = req as ExpressRequest;
    if (secure !== undefined) {
      this.#app ??= app;
      return secure;
    }
    if ((req.socket as { readonly encrypted?: boolean }).encrypted === true) return true;
    const serving = appOf(req) ?? this.#app;
    return serving === undefined ? undefined : isForwardedHttps(req, serving);
  }
}

/** As Express decides it: the first value counts, where the proxy at the other end of the connection is trusted. */
function isForwardedHttps({ headers, socket }: IncomingMessage, app: ExpressApp): boolean | undefined {
  const trust = app.get("trust proxy fn") as (address: string | undefined, hop: number) => boolean;
  if (!trust(socket.remoteAddress, 0)) return undefined;
  const [proto] = String(headers["x-forwarded-proto"] ?? "http").split(",");
  return proto?.trim() === "https";
}

/** The Express app that is a listener of the request's server. */
function appOf({ socket }: IncomingMessage): ExpressApp | undefined {
  const { server } = socket as { readonly server?: Server };
  const listeners: unknown[] = server?.listeners("request") ?? [];
  return listeners.find(isExpressApp);
}

function isExpressApp(listener: unknown): listener is ExpressApp {
  const app = listener as Partial<ExpressApp>;
  return typeof app.get === "function" && typeof app.settings === "object";
}
