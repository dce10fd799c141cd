import type { IncomingMessage, Server } from "node:http";

/** What is looked at in an Express app: its `trust proxy`, as the function that Express makes of it. */
interface ExpressApp {
  get(setting: "trust proxy fn"): unknown;
  readonly settings: object;
}

/** Express's own answer, `req.secure`, follows `trust proxy`; `req.app` is the app that the request passes. */
interface ExpressRequest {
  readonly secure?: boolean;
  readonly app?: ExpressApp;
}

/** Tells whether requests came over HTTPS, also those that never pass Express: upgrades to a websocket. */
export class RequestSecurity {
  /** The app of the requests that did pass it. */
  #app: ExpressApp | undefined;

  /** Undefined where nobody can say: a proxy may have ended the HTTPS. */
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

/** Asked as Express does: the first value counts, where the proxy that the connection is from is trusted. */
function isForwardedHttps({ headers, socket }: IncomingMessage, app: ExpressApp): boolean | undefined {
  const trust = app.get("trust proxy fn") as (address: string | undefined, hop: number) => boolean;
  if (!trust(socket.remoteAddress, 0)) return undefined;
  const [proto] = String(headers["x-forwarded-proto"] ?? "http").split(",");
  return proto?.trim() === "https";
}

/** The Express app that the request's server serves, where it is the server's own listener. */
function appOf({ socket }: IncomingMessage): ExpressApp | undefined {
  const { server } = socket as { readonly server?: Server };
  const listeners: unknown[] = server?.listeners("request") ?? [];
  return listeners.find(isExpressApp);
}

function isExpressApp(listener: unknown): listener is ExpressApp {
  const app = listener as Partial<ExpressApp>;
  return typeof app.get === "function" && typeof app.settings === "object";
}
