import type { ConsoleHandler } from "./admin/console/console-handler";
import type { ConsoleOptions } from "./admin/console/console-options";
import type { KillOptions } from "./admin/kill";
import type { SessionFilter } from "./admin/listing/session-filter";
import type { SessionInfo } from "./admin/listing/session-info";
import type { ClientlessSessionDict, CloseOptions } from "./clientless/clientless-session";
import type { OpenOptions } from "./clientless/open-options";
import type { Task } from "./clientless/tasks/defined-tasks";
import type { SessionPage } from "./admin/listing/session-reader";
import { SessionError, warnOf } from "./errors";
import { forgettable, toldLater } from "./forgettable";
import type { SessionHandler } from "./http/middleware";
import type { SessionOptions } from "./options/session-options";
import type { PagesHandler } from "./pages/pages-handler";
import type { SessionPagesOptions } from "./pages/pages-options";
import { consoleRoom, pagesRoom } from "./rooms-on-demand";
import { Sessions } from "./sessions";
import type { ClearProgress } from "./stores/store";

/** What `sessionMiddleware` returns: an Express handler with its `Sessions`. */
export type SessionMiddleware = SessionHandler & {
  /** The sessions behind it: everything that the plain functions do, as methods. */
  readonly sessions: Sessions;
};

/** The `Sessions` that `sessionMiddleware` made and that are still open. */
const made = new Set<Sessions>();
/** The one that it made last, open or not: a configured one never gives way to one made from the environment. */
let lastMade: Sessions | undefined;
let fromEnvironment: Sessions | undefined;

/** Express middleware that puts `req.session` on each request. No option is required. Throws `SESSION_CONFIG`. */
export function sessionMiddleware(options?: SessionOptions): SessionMiddleware {
  const sessions = new DefaultSessions(options);
  made.add((lastMade = sessions));
  const handler = sessions.middleware();
  return Object.assign((...args: Parameters<SessionHandler>) => handler(...args), { sessions });
}

/** Sessions that the plain functions may act on, until they are closed. */
class DefaultSessions extends Sessions {
  override close(): Promise<void> {
    made.delete(this);
    return super.close();
  }
}

/** The `Sessions` that the plain functions act on: `sessionMiddleware`'s, or one made from the environment. */
function defaultSessions(): Sessions {
  return middlewareSessions() ?? (fromEnvironment ??= new Sessions());
}

/** The `Sessions` of the one `sessionMiddleware` of this process, if there is one. */
export function middlewareSessions(): Sessions | undefined {
  const [first, second] = made;
  if (second !== undefined) {
    throw new SessionError(
      "SESSION_DEFAULT_AMBIGUOUS",
      "Two session middlewares are open, so it is not clear whose sessions are meant; call this on the `.sessions` of one of them.",
    );
  }
  return first ?? lastMade;
}

/** Calls the default `Sessions`. Where it is not clear which one that is, it rejects, as any call does. */
function ofDefault<T>(call: (sessions: Sessions) => Promise<T>): Promise<T> {
  try {
    return call(defaultSessions());
  } catch (error) {
    return forgettable(Promise.reject(error as Error), toldLater(warnOf));
  }
}

/** Ends all sessions of a user, of nobody (`GUEST_USER`), or, with no argument at all, everyone's. See `Sessions`. */
export function killSessionByUser(...args: [] | [user: string, options?: KillOptions]): Promise<number> {
  return ofDefault((sessions) => sessions.killSessionByUser(...args));
}

/** Ends every session. See `Sessions`. */
export function killAllSessions(options?: KillOptions): Promise<number> {
  return ofDefault((sessions) => sessions.killAllSessions(options));
}

/** Starts clearing on a schedule. See `Sessions`. */
export function startClearSessions(schedule?: string): void {
  defaultSessions().startClearSessions(schedule);
}

/** Deletes the records that need not be kept any longer. See `Sessions`. */
export function clearSessions(onProgress?: ClearProgress): Promise<number> {
  return ofDefault((sessions) => sessions.clearSessions(onProgress));
}

/** What is known of a session, live or lately ended. See `Sessions`. */
export function getSession(id: string): Promise<SessionInfo> {
  return ofDefault((sessions) => sessions.getSession(id));
}

/** The user of a session. See `Sessions`. */
export function getSessionUser(id: string): Promise<string> {
  return ofDefault((sessions) => sessions.getSessionUser(id));
}

/** Who is signed in. See `Sessions`. */
export function getSessionInfo(filter?: SessionFilter): Promise<SessionPage> {
  return ofDefault((sessions) => sessions.getSessionInfo(filter));
}

/** Opens a session for a user, without a browser. See `Sessions`. */
export function openClientlessSession(user: string, options?: OpenOptions): Promise<ClientlessSessionDict> {
  return ofDefault((sessions) => sessions.openClientlessSession(user, options));
}

/** Closes a clientless session, whichever process opened it. See `Sessions`. */
export function closeClientlessSession(id: string): Promise<void> {
  return ofDefault((sessions) => sessions.closeClientlessSession(id));
}

/** Runs a function in a session of its own. See `Sessions`. */
export function withClientlessSession<T>(
  user: string,
  fn: (session: ClientlessSessionDict) => T | Promise<T>,
  options?: OpenOptions & CloseOptions,
): Promise<T> {
  return ofDefault((sessions) => sessions.withClientlessSession(user, fn, options));
}

/** Defines a task for clientless sessions. See `Sessions`. */
export function defineTask<Params = unknown>(name: string, task: Task<Params>): void {
  defaultSessions().defineTask(name, task);
}

/**
 * The console: an Express handler where super-users (option `isSuperUser`) look at sessions and end them. It comes
 * after `sessionMiddleware`: `app.use("/admin/sessions", sessionConsole())`. Without a signed-in user the app's error
 * handling gets `NOT_SIGNED_IN` (401); users who aren't super-users get 403. Throws `SESSION_CONFIG`.
 */
export function sessionConsole(options: ConsoleOptions = {}): ConsoleHandler {
  return consoleRoom().consoleHandler(options, defaultSessions);
}

/**
 * The pages that are open in browsers: an Express handler that serves `pages.js`, and what that asks for. It comes after
 * `sessionMiddleware`: `app.use("/session", sessionPages())`, and in each page
 * `<script src="/session/pages.js" defer></script>`. From then on a session knows its open pages, and its pages are told
 * when it ends. Throws `SESSION_CONFIG`.
 */
export function sessionPages(options: SessionPagesOptions = {}): PagesHandler {
  const { sessions, texts } = pagesRoom().readSessionPagesOptions(options);
  if (sessions === undefined && made.size === 0) {
    throw new SessionError(
      "SESSION_CONFIG",
      "sessionPages must be called after sessionMiddleware; with new Sessions(), write sessionPages({ sessions }).",
    );
  }
  return (sessions ?? defaultSessions()).pagesHandler(texts);
}
