import type { IncomingMessage, ServerResponse } from "node:http";
import { SessionError } from "../../errors";
import { GUEST_USER } from "../../record/session-record";
import type { Session } from "../../session/session";
import { assetAt } from "./parts/console-assets";
import type { ConsoleAsset } from "./parts/console-assets";
import { readConsoleOptions } from "./console-options";
import type { ConsoleOptions, ConsoleSessions, ConsoleSettings } from "./console-options";
import { consoleAnswer } from "./console-routes";
import type { ConsoleAnswer, ConsoleRequest, ConsoleResponse, ConsoleVisit } from "./console-visit";
import { noticePage } from "./parts/page-frame";

/** An Express handler; mount it with `app.use(path, handler)`. */
export type ConsoleHandler = (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => void;

/**
 * The headers of every page: no frame shows it, no cache keeps it, and it runs no script but the console's own.
 * (OWASP HTTP Headers Cheat Sheet)
 */
const PAGE_HEADERS: Readonly<Record<string, string>> = {
  "Content-Type": "text/html; charset=utf-8",
  "Content-Security-Policy":
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  "Cache-Control": "no-store",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  // Not "no-referrer", with which browsers send `Origin: null` with our own forms.
  "Referrer-Policy": "same-origin",
  "X-Content-Type-Options": "nosniff",
};

/** The headers of the style and the script, whose path changes with their content. */
const ASSET_HEADERS: Readonly<Record<string, string>> = {
  "Cache-Control": "public, max-age=31536000, immutable",
  "Cross-Origin-Resource-Policy": "same-origin",
  "X-Content-Type-Options": "nosniff",
};

/**
 * The console, as a handler. `byDefault` returns the sessions to show where the options name none. Throws
 * `SESSION_CONFIG` for wrong options.
 */
export function consoleHandler(options: ConsoleOptions, byDefault: () => ConsoleSessions): ConsoleHandler {
  const settings = readConsoleOptions(options, byDefault);
  return (req: ConsoleRequest, res, next) => {
    const [path = "/", ...parts] = (req.url ?? "/").split("?");
    const query = new URLSearchParams(parts.join("?"));
    const asset = req.method === "GET" || req.method === "HEAD" ? assetAt(path) : undefined;
    if (asset !== undefined) sendAsset(res, asset);
    else answer(settings, req, res, { path, query }).then((page) => send(res, page), next);
  };
}

/** Rejects where the app's own error handling should answer: nobody is signed in, or the store fails. */
async function answer(
  settings: ConsoleSettings,
  req: ConsoleRequest,
  res: ConsoleResponse,
  address: Pick<ConsoleVisit, "path" | "query">,
): Promise<ConsoleAnswer> {
  const session = signedIn(req.session);
  const { title, auditTrail } = settings;
  // A link that begins with two slashes would lead to another host.
  const base = (req.baseUrl ?? "").replace(/^\/+/, "/").replace(/\/$/, "");
  try {
    const admin = settings.sessions().admin({ headers: req.headers, session, ip: req.ip, socket: req.socket });
    await admin.enter();
    const appSecurityKey = () => appSecurityKeyOf(res);
    return await consoleAnswer(
      { ...{ admin, session, base, title, auditTrail, appSecurityKey, now: Date.now() }, ...address },
      req,
    );
  } catch (error) {
    const code = error instanceof SessionError ? error.code : undefined;
    if (code === "NOT_ALLOWED") return forbidden(base, title);
    if (code === "SESSION_ARGUMENT") return notUnderstood(base, title);
    throw error;
  }
}

/** The session of the request. Throws where nobody is signed in, so that the app can show its sign-in page. */
function signedIn(session: Session | null | undefined): Session {
  if (session === undefined) {
    throw new SessionError("SESSION_CONFIG", "sessionConsole must be mounted after sessionMiddleware.");
  }
  if (session === null || session.owner === GUEST_USER) {
    throw new SessionError("NOT_SIGNED_IN", "The console is for signed-in users, and nobody is signed in.");
  }
  return session;
}

async function appSecurityKeyOf({ locals }: ConsoleResponse): Promise<string | undefined> {
  const make = locals?.securityKey as (() => unknown) | undefined;
  const key = typeof make === "function" ? await make() : undefined;
  return typeof key === "string" ? key : undefined;
}

function forbidden(base: string, title: string): ConsoleAnswer {
  const text = "You may not see this page.";
  return noticePage({ base, title, status: 403, heading: "Not allowed", text, hasNavigation: false });
}

function notUnderstood(base: string, title: string): ConsoleAnswer {
  const text =
    "Something in the address or the form is wrong, such as a page that no longer exists, or a text that is too long. Nothing was ended.";
  return noticePage({ base, title, status: 400, heading: "That was not understood", text });
}

function send(res: ServerResponse, { status, page, headers }: ConsoleAnswer): void {
  res.statusCode = status;
  for (const [name, value] of Object.entries({ ...PAGE_HEADERS, ...headers })) res.setHeader(name, value);
  const body = Buffer.from(page.toString());
  res.setHeader("Content-Length", body.length);
  res.end(body);
}

function sendAsset(res: ServerResponse, { type, body }: ConsoleAsset): void {
  for (const [name, value] of Object.entries({ ...ASSET_HEADERS, "Content-Type": type })) res.setHeader(name, value);
  res.end(body);
}
