import { EventEmitter } from "node:events";
import type { IncomingMessage } from "node:http";
import type { AdminContext, AdminRequest } from "./admin/checked/admin-context";
import type { SessionAdmin } from "./admin/checked/session-admin";
import type { EndedNotice } from "./admin/ended-notice";
import type { KillOptions } from "./admin/kill";
import type { SessionFilter } from "./admin/listing/session-filter";
import type { SessionDescription, SessionInfo } from "./admin/listing/session-info";
import type { SessionPage } from "./admin/listing/session-reader";
import type { ClientlessSessionDict, CloseOptions } from "./clientless/clientless-session";
import type { OpenOptions } from "./clientless/open-options";
import type { Task } from "./clientless/tasks/defined-tasks";
import { getUserContext, setUserContext, withUserContext } from "./clientless/user-context";
import { SessionError } from "./errors";
import { deadIdsOf, isHandled, recordOf } from "./http/request-session";
import type {
  ExpressSessionStore,
  ExpressSessionStoreOptions,
} from "./http/express-session-store/express-session-store";
import { sessionHandler } from "./http/middleware";
import type { SessionHandler } from "./http/middleware";
import type { ClearSchedule } from "./jobs/clear-schedule";
import { DEFAULT_SCHEDULE, checkedSchedule } from "./options/option-checks";
import { resolveOptions } from "./options/session-options";
import type { SessionOptions } from "./options/session-options";
import type { SessionPages } from "./pages/session-pages";
import type { PagesHandler } from "./pages/pages-handler";
import type { TextsOfNotice } from "./pages/pages-options";
import { assertSessionId } from "./record/token";
import { adminRoom, clearScheduleRoom, expressSessionStoreRoom } from "./rooms-on-demand";
import { currentSession } from "./session/current-session";
import type { Session } from "./session/session";
import type { SessionEvents } from "./session/session-events";
import type { ClearProgress, SessionTally } from "./stores/store";
import { Wiring } from "./wiring";

/** One configured set of sessions: its middleware, and every other function of coatcheck as a method. */
export class Sessions extends EventEmitter<SessionEvents> {
  readonly #rooms: Wiring;
  #handler: SessionHandler | undefined;
  #clearing: ClearSchedule | undefined;
  #closed = false;

  /** Reads and checks the options: throws `SESSION_CONFIG`. Opens the store. */
  constructor(options?: SessionOptions) {
    super();
    this.#rooms = new Wiring(resolveOptions(options), this);
  }

  /**
   * The Express middleware of these sessions. The first call also starts the clearing, unless `clearSchedule` is false.
   */
  middleware(): SessionHandler {
    if (this.#handler === undefined) {
      this.#handler = sessionHandler(this.#rooms.http);
      if (this.#rooms.options.clearSchedule !== false) this.startClearSessions();
    }
    return this.#handler;
  }

  /** Ends one session, also one that can't be read. Resolves to whether it was live until now. */
  kill(id: string, options: KillOptions = {}): Promise<boolean> {
    return this.#rooms.given(() => this.#rooms.kill.byId(id, options));
  }

  /**
   * Ends all sessions of a user, of nobody (`GUEST_USER`), or, called with no argument at all, everyone's. It repeats
   * until a whole query finds none; sessions that begin after the call may be ended too, or not. Resolves to how many it
   * ended. Where the store fails meanwhile it rejects, and the error's `ended` is that number. An argument that is not a
   * user id rejects with `SESSION_ARGUMENT`, `undefined` too: a missing request field must not sign everybody out.
   */
  killSessionByUser(...args: [] | [user: string, options?: KillOptions]): Promise<number> {
    if (args.length === 0) return this.killAllSessions();
    const [user, options = {}] = args;
    return this.#rooms.given(() => this.#rooms.kill.byUser(user, options));
  }

  /**
   * Ends every session in the store, also those that can't be read. Resolves to how many it ended, as
   * `killSessionByUser` does.
   */
  killAllSessions(options: KillOptions = {}): Promise<number> {
    return this.#rooms.given(() => this.#rooms.kill.all(options));
  }

  /** Ends all other sessions of this session's user. Resolves to how many it ended. */
  killOthers(session: Session, options: KillOptions = {}): Promise<number> {
    return this.#rooms.given(() => this.#rooms.kill.others(session, options));
  }

  /** What is known of a session, live or lately ended. Rejects with `SESSION_NOT_FOUND`. */
  getSession(id: string): Promise<SessionInfo> {
    return this.#rooms.given(async () => {
      assertSessionId(id, "getSession(id)");
      return this.#rooms.reader.get(id);
    });
  }

  /**
   * `getSession`, and the names and sizes of what is in the session.
   * @internal For the command line.
   */
  describeSession(id: string): Promise<SessionDescription> {
    return this.#rooms.given(async () => {
      assertSessionId(id, "describeSession(id)");
      return this.#rooms.reader.describe(id);
    });
  }

  /** The user of a session, live or lately ended; `"Unauthenticated"` for nobody. Rejects with `SESSION_NOT_FOUND`. */
  getSessionUser(id: string): Promise<string> {
    return this.#rooms.given(async () => (await this.getSession(id)).username);
  }

  /**
   * Who is signed in: the live sessions that pass the filter, or those that ended lately; all, or a page with the
   * cursor of the next one.
   */
  getSessionInfo(filter: SessionFilter = {}): Promise<SessionPage> {
    return this.#rooms.given(async () => this.#rooms.reader.page(filter));
  }

  /** What `getSessionInfo` finds, one by one: however many there are, they are never all in memory. */
  async *eachSessionInfo(filter: SessionFilter = {}): AsyncGenerator<SessionInfo> {
    yield* this.#rooms.reader.each(filter);
  }

  /**
   * How many sessions are live, by project, scope and whether they are guests'. The store counts them without reading
   * them; those that expired in the last ten minutes may be among them.
   */
  tally(): Promise<readonly SessionTally[]> {
    return this.#rooms.given(async () => this.#rooms.store.tally(this.#rooms.options.now()));
  }

  /**
   * Why the session of this request's cookie is over; undefined where it is live, or nothing is remembered of it. It
   * reads the store, so call it only where the notice is shown.
   */
  endedNotice(req: IncomingMessage): Promise<EndedNotice | undefined> {
    return this.#rooms.given(async () => {
      const ids = deadIdsOf(req, this.#rooms.httpMade);
      return ids.length === 0 ? undefined : this.#rooms.reader.endedNotice(ids, this.#rooms.options.project);
    });
  }

  /**
   * Administration on behalf of a person: what that person may not do is refused, and every call is reported to the
   * option `audit`. Takes the person's request, or an `AdminContext`.
   */
  admin(from: AdminContext | AdminRequest): SessionAdmin {
    const { SessionAdmin, resolveAdminContext } = adminRoom();
    return new SessionAdmin(this.#rooms.administration, resolveAdminContext(from, this.#rooms.options.project));
  }

  /** Deletes the records that need not be kept any longer. Resolves to how many it deleted. */
  clearSessions(onProgress?: ClearProgress): Promise<number> {
    return this.#rooms.given(async () => this.#rooms.store.clear(this.#rooms.options.now(), onProgress));
  }

  /**
   * Clears on a schedule, a cron expression in UTC; by default that of the options. It replaces a schedule that was
   * started before. Errors are emitted, and the schedule goes on. Throws `SESSION_CONFIG`.
   */
  startClearSessions(schedule?: string): void {
    const wanted = checkedSchedule(schedule ?? (this.#rooms.options.clearSchedule || DEFAULT_SCHEDULE));
    if (this.#closed) throw new SessionError("SESSION_CLOSED", "These Sessions were closed, so they can't clear.");
    this.#clearing?.stop();
    const { ClearSchedule } = clearScheduleRoom();
    const onError = (error: unknown) => this.#rooms.announcer.error(error);
    this.#clearing = new ClearSchedule(wanted, () => this.clearSessions(), onError);
  }

  /**
   * Opens a session for a user, without a browser. It has no idle limit, and stays open until it is closed or killed or
   * its `maxAge` is over, even after this process has ended; with `await using` it is held by a lease, see
   * `withClientlessSession`.
   */
  openClientlessSession(user: string, options?: OpenOptions): Promise<ClientlessSessionDict> {
    return this.#rooms.given(async () => this.#rooms.clientless.open(user, options));
  }

  /**
   * Closes a clientless session, whichever process opened it. Where that was this one, it waits for the session's
   * tasks. Rejects with `SESSION_NOT_FOUND` where no clientless session of this id is open.
   */
  closeClientlessSession(id: string): Promise<void> {
    return this.#rooms.given(async () => {
      assertSessionId(id, "closeClientlessSession(id)");
      return this.#rooms.clientless.close(id);
    });
  }

  /**
   * Opens a session for a user, runs `fn` in it, waits for its tasks, closes it, and resolves to what `fn` returned.
   * Where `fn` throws, the session is closed all the same, and the promise rejects with that error. Should this process
   * die, the session counts as ended, with the reason `abandoned`, after `leaseTimeout`.
   */
  withClientlessSession<T>(
    user: string,
    fn: (session: ClientlessSessionDict) => T | Promise<T>,
    options?: OpenOptions & CloseOptions,
  ): Promise<T> {
    return this.#rooms.given(async () => this.#rooms.clientless.with(user, fn, options));
  }

  /**
   * Defines a task, which any number of clientless sessions can start by its name. Throws `SESSION_ARGUMENT` where the
   * name is taken.
   */
  defineTask<Params = unknown>(name: string, task: Task<Params>): void {
    if (this.#closed) throw new SessionError("SESSION_CLOSED", "These Sessions were closed, so they run no task.");
    this.#rooms.clientless.define(name, task);
  }

  /** The user for whom the running code acts. See the function of the same name. */
  getUserContext(): string | undefined {
    return getUserContext();
  }

  /**
   * Sets for whom the current request, task or `withUserContext` acts from now on. See the function of the same name.
   */
  setUserContext(user: string): void {
    setUserContext(user);
  }

  /** Runs `fn` for a user. See the function of the same name. */
  withUserContext<T>(user: string, fn: () => T): T {
    return withUserContext(user, fn);
  }

  /** The session that the running code belongs to; undefined outside of a request and of a task. */
  currentSession(): Session | undefined {
    return currentSession();
  }

  /**
   * A store of express-session's kind, for libraries that require one. Without options it has the sessions of browsers,
   * by `req.sessionID`: it changes and ends them, and starts none. With `library` it keeps the sessions that a library
   * makes itself. Throws `SESSION_ARGUMENT`.
   */
  expressSessionStore(options: ExpressSessionStoreOptions = {}): ExpressSessionStore {
    const { libraryOf, librarySessionStore } = expressSessionStoreRoom();
    const library = libraryOf(options);
    const { http } = this.#rooms;
    return library === undefined ? http.sessionStore() : librarySessionStore(http, library);
  }

  /** The open pages of these sessions, and messages to them. See `sessionPages`. */
  get pages(): SessionPages {
    return this.#rooms.pages;
  }

  /** @internal What `sessionPages` mounts. Throws `SESSION_CONFIG` where it is mounted already. */
  pagesHandler(texts: TextsOfNotice | undefined): PagesHandler {
    const { pages, http } = this.#rooms;
    const handler = pages.handler({
      texts,
      isHandled: (req) => isHandled(req, http),
      recordOf: (req) => recordOf(req, http),
    });
    http.isNoActivity = (req) => pages.isNoActivity(req);
    return handler;
  }

  /**
   * Stops the clearing, waits for what is under way, and closes the store. Later calls reject with `SESSION_CLOSED`.
   */
  close(): Promise<void> {
    return this.#rooms.given(async () => {
      this.#closed = true;
      this.#clearing?.stop();
      this.#rooms.stop();
      await this.#rooms.store.close();
    });
  }
}
