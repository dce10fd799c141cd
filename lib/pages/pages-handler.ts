import type { ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";
import { SessionError } from "../errors";
import { MESSAGE_PREFIX } from "../record/open-pages";
import { GUEST_USER } from "../record/session-record";
import type { SessionRecord } from "../record/session-record";
import { isSessionId } from "../record/token";
import { LeftPages, ageOf, leftPage, seenPage } from "./open-pages";
import { isSameOrigin, pageNewsOf } from "./page-request";
import type { PageRequest } from "./page-request";
import { PAGE_SCRIPT, PAGE_SCRIPT_HASH } from "./page-script";
import type { PageStreams } from "./page-streams";
import { englishTexts } from "./page-texts";
import type { NoticeAbout, NoticeTexts } from "./page-texts";
import type { PagesHost, SessionEnd } from "./pages-host";

/** An Express handler; mount it with `app.use(path, handler)`. */
export type PagesHandler = (req: PageRequest, res: ServerResponse, next: (error?: unknown) => void) => void;

/** What the handler works with. */
export interface PagesSettings {
  readonly host: PagesHost;
  readonly streams: PageStreams;
  /** The words of a notice, for the page that this request comes from. */
  readonly texts: ((about: NoticeAbout, req: PageRequest) => NoticeTexts) | undefined;
  /** Whether the middleware of these very sessions has handled the request. */
  readonly isHandled: (req: PageRequest) => boolean;
  /** The live record of the session that the request has; undefined where it has none. */
  readonly recordOf: (req: PageRequest) => SessionRecord | undefined;
}

interface HandlerSettings extends PagesSettings {
  readonly left: LeftPages;
}

/** What only the pages themselves ask for. None of it counts as activity. */
const QUIET = /\/pages-(?:open|events|leave)(?:\?|$)/;
const COMPRESSED = gzipSync(PAGE_SCRIPT, { level: 9 });
const STREAM_HEADERS = {
  "Content-Type": "text/event-stream; charset=utf-8",
  "Cache-Control": "no-store, no-transform",
  // Without it, nginx and others that read its header would buffer what is written.
  "X-Accel-Buffering": "no",
};

const TOO_EARLY = "sessionPages must be mounted after sessionMiddleware.";
const OTHER_SESSIONS =
  "sessionPages has other sessions than the session middleware before it; write sessionPages({ sessions }) with those of the middleware.";

/** Whether a request was sent by the script of the pages, and not for something that the user did. */
export function isFromPageScript({ url = "" }: { readonly url?: string | undefined }): boolean {
  return QUIET.test(url);
}

/** Serves the script and what it asks for. What it does not know goes to `next`. */
export function pagesHandler(given: PagesSettings): PagesHandler {
  const settings = { ...given, left: new LeftPages() };
  return (req, res, next) => {
    const [path = "/"] = (req.url ?? "/").split("?");
    const route = `${req.method === "HEAD" ? "GET" : (req.method ?? "")} ${path}`;
    if (route === "GET /pages.js") {
      sendScript(req, res);
      return;
    }
    const handle = ROUTES.get(route);
    if (handle === undefined) {
      next();
      return;
    }
    if (!settings.isHandled(req)) {
      next(new SessionError("SESSION_CONFIG", req.session === undefined ? TOO_EARLY : OTHER_SESSIONS));
    } else if (isSameOrigin(req)) {
      res.setHeader("Cache-Control", "no-store");
      handle(settings, req, res).catch(next);
    } else {
      sendStatus(res, 403);
    }
  };
}

type Handle = (settings: HandlerSettings, req: PageRequest, res: ServerResponse) => Promise<void>;

const ROUTES: ReadonlyMap<string, Handle> = new Map([
  ["POST /pages-open", open],
  ["GET /pages-events", events],
  ["POST /pages-leave", leave],
  ["POST /pages-stay", stay],
]);

/** A page says that it is open. It is told its session, or how that ended. */
async function open(settings: HandlerSettings, req: PageRequest, res: ServerResponse): Promise<void> {
  const news = await pageNewsOf(req);
  if (news === undefined) {
    sendStatus(res, 400);
    return;
  }
  const { host } = settings;
  const record = settings.recordOf(req);
  if (record === undefined) {
    // Only a page that had a session is told that it is over: one that was loaded with a dead cookie is a guest's.
    if (isSessionId(news.session)) sendEnd(settings, req, res, await host.endOfRequest(req));
    else sendStatus(res, 204);
  } else if (news.session !== undefined && news.session !== record.id) {
    // The browser has another session by now, and nobody may ask by an id how a session ended.
    sendEnd(settings, req, res, { reason: record.owner === GUEST_USER ? "closed" : "login", message: null });
  } else {
    const hasLeft = () => settings.left.has(record, news.id);
    const delta = hasLeft() ? undefined : seenPage(record, news, host.now());
    // The page learns by its stream, or the next time, whether the session ended meanwhile.
    if (delta !== undefined) {
      await host.write(record, delta);
      if (hasLeft()) await host.write(record, { pages: { remove: [news.id] } });
    }
    const age = delta === undefined && !hasLeft() ? ageOf(record, news.id, host.now()) : 0;
    sendJson(res, { session: record.id, ...(age > 0 && { age }) });
  }
}

/** The event stream of a session. */
async function events(settings: HandlerSettings, req: PageRequest, res: ServerResponse): Promise<void> {
  const record = settings.recordOf(req);
  if (record === undefined) {
    // It ends an EventSource for good. (HTML Standard §9.2)
    sendStatus(res, 204);
    return;
  }
  // A browser that comes back on the same connection would keep a server from closing.
  res.shouldKeepAlive = false;
  res.writeHead(200, STREAM_HEADERS);
  res.write("retry: 3000\n\n");
  if (req.method === "HEAD") {
    res.end();
    return;
  }
  const textsOf = (about: NoticeAbout) => textsFor(settings, req, about);
  settings.streams.open(record, res, lastMessageOf(req), textsOf);
}

/** The key of the last message that the browser has got. An EventSource that reconnects sends it; a new one can't. */
function lastMessageOf({ headers, url = "" }: PageRequest): string | undefined {
  const { "last-event-id": key = url.split("?")[1] } = headers;
  return typeof key === "string" && key.startsWith(MESSAGE_PREFIX) ? key : undefined;
}

/** A page says good-bye. */
async function leave(settings: HandlerSettings, req: PageRequest, res: ServerResponse): Promise<void> {
  const news = await pageNewsOf(req);
  const record = settings.recordOf(req);
  if (news !== undefined && record !== undefined) settings.left.add(record, news.id);
  const delta = news === undefined || record === undefined ? undefined : leftPage(record, news.id);
  if (delta !== undefined && record !== undefined) await settings.host.write(record, delta);
  sendStatus(res, news === undefined ? 400 : 204);
}

/** The user is still there. */
async function stay(settings: HandlerSettings, req: PageRequest, res: ServerResponse): Promise<void> {
  const record = settings.recordOf(req);
  if (record !== undefined) {
    await req.session?.touch();
    await settings.host.watch.checkOne(record.id);
  }
  sendStatus(res, 204);
}

function sendEnd(settings: PagesSettings, req: PageRequest, res: ServerResponse, end: SessionEnd | undefined): void {
  // Not who ended it, which is no business of the page.
  const { reason, message } = end ?? { reason: "closed", message: null };
  const about = { event: "ended", reason, message } as const;
  sendJson(res, { ended: { ...about, ...textsFor(settings, req, about) } });
}

/** Never throws. Where the app's texts can't be shown, the English ones are, and `error` says why. */
function textsFor({ host, texts = englishTexts }: PagesSettings, req: PageRequest, about: NoticeAbout): NoticeTexts {
  try {
    const { title, text, button } = texts(about, req);
    if ([title, text, button].every((words) => typeof words === "string")) return { title, text, button };
    const hint = "must return { title, text, button }, three strings, and no promise";
    host.onError(new SessionError("SESSION_CONFIG", `Option texts of sessionPages ${hint}.`));
  } catch (error) {
    host.onError(error);
  }
  return englishTexts(about);
}

function sendScript(req: PageRequest, res: ServerResponse): void {
  const tag = `"${PAGE_SCRIPT_HASH}"`;
  const isNamed = (req.url ?? "").endsWith(`?${PAGE_SCRIPT_HASH}`);
  res.setHeader("Content-Type", "text/javascript; charset=utf-8");
  res.setHeader(
    "Cache-Control",
    isNamed ? "public, max-age=31536000, immutable" : "public, max-age=0, must-revalidate",
  );
  res.setHeader("ETag", tag);
  res.setHeader("Vary", "Accept-Encoding");
  res.setHeader("X-Content-Type-Options", "nosniff");
  if (req.headers["if-none-match"] === tag) {
    sendStatus(res, 304);
    return;
  }
  const isCompressed = /\bgzip\b/.test(String(req.headers["accept-encoding"]));
  const body = isCompressed ? COMPRESSED : PAGE_SCRIPT;
  if (isCompressed) res.setHeader("Content-Encoding", "gzip");
  res.setHeader("Content-Length", Buffer.byteLength(body));
  res.end(req.method === "HEAD" ? undefined : body);
}

function sendJson(res: ServerResponse, value: object): void {
  res.setHeader("Content-Type", "application/json; charset=utf-8");
  res.end(JSON.stringify(value));
}

function sendStatus(res: ServerResponse, status: number): void {
  res.statusCode = status;
  res.end();
}
