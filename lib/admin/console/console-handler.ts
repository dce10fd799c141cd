import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { SessionError } from "../../errors";
import { REFRESH_HEADER } from "../../record/expiry";
import { GUEST_USER } from "../../record/session-record";
import type { Session } from "../../session/session";
import { assetAt } from "./parts/console-assets";
import type { ConsoleAsset } from "./parts/console-assets";
import { readConsoleOptions } from "./console-options";
import type { ConsoleOptions, ConsoleSessions, ConsoleSettings } from "./console-options";
import { consoleAnswer } from "./console-routes";
import type { ConsoleAnswer, ConsoleRequest, ConsoleResponse, ConsoleVisit } from "./console-visit";
import { Glances } from "./glances";
import { KeptTally } from "./kept-tally";
import { noticePage } from "./parts/page-frame";
import type { Frame, FrameVisitor } from "./parts/page-frame";
import { signOutForm } from "./sign-out";
import { doneBefore } from "./way-back";

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

/** What a console remembers from one request to the next. */
interface ConsoleMemory {
  readonly glances: Glances;
  readonly tally: KeptTally;
}

/**
 * The console, as a handler. `byDefault` returns the sessions to show where the options name none. Throws
 * `SESSION_CONFIG` for wrong options.
 */
export function consoleHandler(options: ConsoleOptions, byDefault: () => ConsoleSessions): ConsoleHandler {
  const settings = readConsoleOptions(options, byDefault);
  const memory = { glances: new Glances(), tally: new KeptTally() };
  return (req: ConsoleRequest, res, next) => {
    const [path = "/", ...parts] = (req.url ?? "/").split("?");
    const query = new URLSearchParams(parts.join("?"));
    const asset = req.method === "GET" || req.method === "HEAD" ? assetAt(path) : undefined;
    if (asset !== undefined) sendAsset(res, asset);
    else {
      answer({ ...settings, ...memory }, req, res, { path, query })
        .then((page) => send(req, res, page))
        .catch(next);
    }
  };
}

/** Rejects where the app's own error handling should answer: nobody is signed in, or the store fails. */
async function answer(
  settings: ConsoleSettings & ConsoleMemory,
  req: ConsoleRequest,
  res: ConsoleResponse,
  address: Pick<ConsoleVisit, "path" | "query">,
): Promise<ConsoleAnswer> {
  const session = signedIn(req.session);
  const { title, home, auditTrail, glances } = settings;
  const now = Date.now();
  // A link that begins with two slashes would lead to another host.
  const base = (req.baseUrl ?? "").replace(/^\/+/, "/").replace(/\/$/, "");
  const bare: Frame = { base, title, home };
  const page = `${session.id} ${req.method ?? ""} ${address.path}?${address.query.toString()}`;
  const wasTold = (look: string) => glances.wasTold(`${page} ${look}`, now);
  try {
    const of = settings.sessions();
    const admin = of.admin({ headers: req.headers, session, ip: req.ip, socket: req.socket, wasTold });
    await admin.enter();
    const appSecurityKey = () => appSecurityKeyOf(res);
    const visitor = await visitorOf(settings, req, { ...address, base, session, appSecurityKey });
    const tally = async () => settings.tally.get(of, () => admin.tally(), now);
    const frame = { ...bare, visitor };
    return await consoleAnswer(
      { ...address, admin, session, base, frame, auditTrail, tally, appSecurityKey, now },
      req,
    );
  } catch (error) {
    const code = error instanceof SessionError ? error.code : undefined;
    if (code === "NOT_ALLOWED") return forbidden(bare);
    if (code === "SESSION_ARGUMENT") return notUnderstood({ ...bare, visitor: { user: session.owner, ...NO_FORM } });
    throw error;
  }
}

const NO_FORM = { signOut: undefined, ended: undefined };

/** An update of a page changes no form, and needs no keys for any. */
async function visitorOf(
  { signOut }: ConsoleSettings,
  req: ConsoleRequest,
  visit: Pick<ConsoleVisit, "base" | "session" | "query" | "appSecurityKey">,
): Promise<FrameVisitor> {
  const { session, query, appSecurityKey } = visit;
  const user = session.owner;
  if (req.method !== "GET" || req.headers[REFRESH_HEADER] !== undefined) return { user, ...NO_FORM };
  const form = await signOutForm(visit, signOut, appSecurityKey);
  return { user, signOut: form, ended: await doneBefore(session, query) };
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

function forbidden(frame: Frame): ConsoleAnswer {
  const text = "You may not see this page.";
  return noticePage({ frame, status: 403, heading: "Not allowed", text });
}

function notUnderstood(frame: Frame): ConsoleAnswer {
  const text =
    "Something in the address or the form is wrong, such as a page that no longer exists, or a text that is too long. Nothing was ended.";
  return noticePage({ frame, status: 400, heading: "That was not understood", text });
}

async function send(req: IncomingMessage, res: ServerResponse, answer: ConsoleAnswer): Promise<void> {
  const { status, page, lines, headers } = answer;
  res.statusCode = status;
  for (const [name, value] of Object.entries({ ...PAGE_HEADERS, ...headers })) res.setHeader(name, value);
  if (lines !== undefined && req.method !== "HEAD") {
    await pipeline(Readable.from(lines), res);
    return;
  }
  const body = Buffer.from(page?.toString() ?? "");
  if (lines === undefined) res.setHeader("Content-Length", body.length);
  res.end(body);
}

function sendAsset(res: ServerResponse, { type, body }: ConsoleAsset): void {
  for (const [name, value] of Object.entries({ ...ASSET_HEADERS, "Content-Type": type })) res.setHeader(name, value);
  res.end(body);
}
