import { EventEmitter } from "node:events";
import type { IncomingMessage } from "node:http";
import type { AdminContext, AdminRequest } from "./admin/checked/admin-context";
import type { EndedNotice } from "./admin/listing/session-info";
import { killFound } from "./admin/kill-found";
import type { KillQuery, KillTarget } from "./admin/kill-found";
import { messageOf } from "./admin/kill-options";
import type { KillOptions } from "./admin/kill-options";
import type { Administration, KillDetails, SessionAdmin } from "./admin/checked/session-admin";
import type { SessionFilter } from "./admin/listing/session-filter";
import type { SessionInfo } from "./admin/listing/session-info";
import type { ClientlessSessionDict, CloseOptions } from "./clientless/clientless-session";
import type { ClientlessSessions } from "./clientless/clientless-sessions";
import type { OpenOptions } from "./clientless/open-options";
import type { Task } from "./clientless/tasks/task";
import { getUserContext, setUserContext, withUserContext } from "./clientless/user-context";
import { endOldest } from "./admin/session-limit";
import type { SessionPage, SessionReader } from "./admin/listing/session-reader";
import { SessionError, isUnreadable, warnOf } from "./errors";
import { forgettable, toldLater } from "./forgettable";
import { CookieSignature } from "./http/cookie/cookie-signature";
import { deadIdsOf } from "./http/dead-cookie";
import type {
  ExpressSessionStore,
  ExpressSessionStoreOptions,
} from "./http/express-session-store/express-session-store";
import type { HttpSettings } from "./http/http-settings";
import { LateChanges } from "./http/late-changes";
import { sessionHandler } from "./http/middleware";
import type { SessionHandler } from "./http/middleware";
import { SessionCookie } from "./http/cookie/session-cookie";
import type { ClearJob } from "./jobs/clear-job";
import { Traffic } from "./http/traffic";
import { DEFAULT_SCHEDULE, checkedSchedule } from "./options/option-checks";
import { resolveOptions } from "./options/session-options";
import type { ResolvedOptions, SessionOptions } from "./options/session-options";
import { AttributeEncryption } from "./record/crypto/attribute-encryption";
import { isExpired, touchAt } from "./record/expiry";
import { isSessionId } from "./record/token";
import { GUEST_USER } from "./record/session-record";
import type { EndReason, SessionRecord } from "./record/session-record";
import { adminRoom, clearJobRoom, clientlessRoom, expressSessionStoreRoom } from "./rooms-on-demand";
import { currentHolder, currentSession } from "./session/current-session";
import { endingFor } from "./session/life/ending-for";
import type { Session } from "./session/session";
import { assertUserIdForm } from "./session/session-owner";
import type { SessionPolicy } from "./session/life/session-policy";
import { storeByEnvironment } from "./store-by-environment";
import { GuardedStore } from "./stores/guard/guarded-store";
import { OwnContext } from "./stores/own-context";
import type { ClearProgress, FindQuery, SessionTally } from "./stores/store";

/** What is told of a session that began or ended in this process. */
export interface SessionEvent {
  readonly id: string;
  /** Empty where the session could not be read. */
  readonly owner: string;
}

/** The events of `Sessions`, with what their listeners are given. */
export interface SessionEvents {
  created: [SessionEvent];
  ended: [SessionEvent & { readonly reason: EndReason }];
  /** What no request answers for: a touch beside a request, the clearing job, a listener. Without a listener it is a process warning. */
  error: [unknown];
}

const CLAIMED =
  "A websocket came with a cookie of HTTPS, but nothing tells that it came over HTTPS, so the cookie was believed. Behind a proxy that ends HTTPS, set app.set('trust proxy', 1) in the app of this server, or cookie.secure to true.";
const INSECURE =
  "No session is created on plain HTTP in production. Behind a proxy that ends HTTPS, set app.set('trust proxy', 1); without HTTPS, set cookie.secure to false.";

/** One configured set of sessions: every public verb starts here. */
export class Sessions extends EventEmitter<SessionEvents> {
  readonly #options: ResolvedOptions;
  readonly #store: GuardedStore;
  readonly #traffic = new Traffic();
  readonly #context = new OwnContext();
  readonly #forgotten = toldLater((error) => this.#emitError(error));
  readonly #lateChanges = new LateChanges();
  #handler: SessionHandler | undefined;
  #settings: HttpSettings | undefined;
  #ownSessionStore: ExpressSessionStore | undefined;
  #clearJob: ClearJob | undefined;
  /** These two are made when they are first asked for. */
  #clientlessMade: ClientlessSessions | undefined;
  #readerMade: SessionReader | undefined;
  readonly #warned = new Set<string>();
  #closed = false;

  /** Reads and checks the options: throws `SESSION_CONFIG`. Opens the store. */
  constructor(options?: SessionOptions) {
    super();
    this.#options = resolveOptions(options);
    const { store, storeTimeoutMs: timeoutMs, now } = this.#options;
    this.#store = new GuardedStore(store ?? storeByEnvironment({ now, timeoutMs }), { timeoutMs, now });
  }

  /** The Express middleware of these sessions. The first call also starts the clearing job, unless `clearSchedule` is false. */
  middleware(): SessionHandler {
    if (this.#handler === undefined) {
      this.#handler = sessionHandler(this.#http);
      if (this.#options.clearSchedule !== false) this.startClearSessions();
    }
    return this.#handler;
  }

  /** Ends one session, also one that can't be read. Resolves to whether it was live until now. */
  kill(id: string, options: KillOptions = {}): Promise<boolean> {
    return this.#given(async () => {
      assertSessionId(id, "kill(id)");
      const details = detailsOf(options, "kill(id, options)");
      const target = await this.#killTarget(id);
      return target !== undefined && (await this.#kill(target, "killed", details));
    });
  }

  /**
   * Ends all sessions of a user, of nobody (`GUEST_USER`), or, called with no argument at all, everyone's. It repeats until a whole query
   * finds none. Resolves to how many it ended. Where the store fails meanwhile it rejects, and the error's `ended` is how many those are.
   * An argument that is not a user id rejects with `SESSION_ARGUMENT`, `undefined` too: a missing request field must not sign everybody out.
   */
  killSessionByUser(...args: [] | [user: string, options?: KillOptions]): Promise<number> {
    return this.#given(async () => {
      if (args.length === 0) return this.killAllSessions();
      const [user, options = {}] = args;
      const details = detailsOf(options, "killSessionByUser(user, options)");
      return this.#killFound({ owner: ownerArgument(user) }, details);
    });
  }

  /** Ends every session in the store, also those that can't be read. Resolves to how many it ended, as `killSessionByUser` does. */
  killAllSessions(options: KillOptions = {}): Promise<number> {
    return this.#given(async () => this.#killFound({}, detailsOf(options, "killAllSessions(options)")));
  }

  /** Ends all other sessions of this session's user. Resolves to how many it ended. */
  killOthers(session: Session, options: KillOptions = {}): Promise<number> {
    return this.#given(async () => {
      const { id, owner } = session;
      if (owner === GUEST_USER) {
        throw new SessionError(
          "SESSION_ARGUMENT",
          "killOthers(session): this session belongs to nobody, so it has no others.",
        );
      }
      return this.#killFound({ owner, spared: id }, detailsOf(options, "killOthers(session, options)"));
    });
  }

  /** What is known of a session, live or lately ended. Rejects with `SESSION_NOT_FOUND`. */
  getSession(id: string): Promise<SessionInfo> {
    return this.#given(async () => {
      assertSessionId(id, "getSession(id)");
      return this.#reader.get(id);
    });
  }

  /** The user of a session, live or lately ended; `"Unauthenticated"` for nobody. Rejects with `SESSION_NOT_FOUND`. */
  getSessionUser(id: string): Promise<string> {
    return this.#given(async () => {
      return (await this.getSession(id)).username;
    });
  }

  /** Who is signed in: the live sessions that pass the filter, or those that ended lately; all, or a page with the cursor of the next one. */
  getSessionInfo(filter: SessionFilter = {}): Promise<SessionPage> {
    return this.#given(async () => this.#reader.page(filter));
  }

  /** The same, one by one: however many there are, they are never all in memory. */
  async *eachSessionInfo(filter: SessionFilter = {}): AsyncGenerator<SessionInfo> {
    yield* this.#reader.each(filter);
  }

  /**
   * How many sessions are live, by project, scope and whether they are guests'. The store counts them without reading them; those that expired
   * in the last ten minutes may be among them.
   */
  tally(): Promise<readonly SessionTally[]> {
    return this.#given(async () => this.#store.tally(this.#options.now()));
  }

  /**
   * Why the session is over whose cookie this request carries; undefined where it is live, or nothing is remembered of it. It reads the store,
   * so ask where it is shown.
   */
  endedNotice(req: IncomingMessage): Promise<EndedNotice | undefined> {
    return this.#given(async () => {
      for (const id of deadIdsOf(req, this.#settings)) {
        const record = await this.#reader.record(id).catch(unlessUnreadable);
        if (record?.project === this.#options.project) return adminRoom().endedNotice(record, this.#options.now());
      }
      return undefined;
    });
  }

  /**
   * Administration on behalf of a person: what that person may not do is refused, and everything is told to the `audit` option. Takes the
   * request of that person, or what is known otherwise.
   */
  admin(from: AdminContext | AdminRequest): SessionAdmin {
    const { SessionAdmin, resolveAdminContext } = adminRoom();
    return new SessionAdmin(this.#administration, resolveAdminContext(from, this.#options.project));
  }

  /** Deletes what is past its time now. Resolves to how many records it deleted. */
  clearSessions(onProgress?: ClearProgress): Promise<number> {
    return this.#given(async () => this.#store.clear(this.#options.now(), onProgress));
  }

  /** Clears on a schedule, a cron expression in UTC; by default the one of the options; a job that runs already is replaced. Errors are emitted, and the job goes on. */
  startClearSessions(schedule?: string): void {
    const wanted = checkedSchedule(schedule ?? (this.#options.clearSchedule || DEFAULT_SCHEDULE));
    if (this.#closed) throw new SessionError("SESSION_CLOSED", "These Sessions were closed, so they can't clear.");
    this.#clearJob?.stop();
    const { ClearJob } = clearJobRoom();
    this.#clearJob = new ClearJob(
      wanted,
      () => this.clearSessions(),
      (error) => this.#emitError(error),
    );
  }

  /**
   * Opens a session for a user, without a browser. It has no idle limit, and stays open until it is closed or killed or its `maxAge` is over, also
   * when this process has gone; with `await using` it is held by a lease, see `withClientlessSession`.
   */
  openClientlessSession(user: string, options?: OpenOptions): Promise<ClientlessSessionDict> {
    return this.#given(async () => this.#clientless.open(user, options));
  }

  /**
   * Closes a clientless session that any process has opened. Where that was this one, it waits for the session's tasks. Rejects with
   * `SESSION_NOT_FOUND` where no clientless session of this id is open.
   */
  closeClientlessSession(id: string): Promise<void> {
    return this.#given(async () => {
      assertSessionId(id, "closeClientlessSession(id)");
      return this.#clientless.close(id);
    });
  }

  /**
   * Opens a session for a user, runs `fn` in it, waits for its tasks, closes it, and resolves to what `fn` returned. An error of `fn` closes it
   * just so, and is rejected with. Should this process die, the session counts as ended, reason `abandoned`, after `leaseTimeout`.
   */
  withClientlessSession<T>(
    user: string,
    fn: (session: ClientlessSessionDict) => T | Promise<T>,
    options?: OpenOptions & CloseOptions,
  ): Promise<T> {
    return this.#given(async () => this.#clientless.with(user, fn, options));
  }

  /** Defines a task, which clientless sessions of any number can start by its name. Throws `SESSION_ARGUMENT` where the name is taken. */
  defineTask<Params = unknown>(name: string, task: Task<Params>): void {
    if (this.#closed) throw new SessionError("SESSION_CLOSED", "These Sessions were closed, so they run no task.");
    this.#clientless.define(name, task);
  }

  /** The user for whom the running code acts. See the function of this name. */
  getUserContext(): string | undefined {
    return getUserContext();
  }

  /** Whom the current request, task or `withUserContext` acts for from now on. See the function of this name. */
  setUserContext(user: string): void {
    setUserContext(user);
  }

  /** Runs `fn` for a user. See the function of this name. */
  withUserContext<T>(user: string, fn: () => T): T {
    return withUserContext(user, fn);
  }

  /** The session that the running code belongs to; undefined outside of a request and of a task. */
  currentSession(): Session | undefined {
    return currentSession();
  }

  /**
   * A store of express-session's kind, for libraries that ask for one. Without options it is about the sessions of browsers, by `req.sessionID`; it
   * changes and ends them, and starts none. With `library` it keeps the sessions that a library makes itself. Throws `SESSION_ARGUMENT`.
   */
  expressSessionStore(options: ExpressSessionStoreOptions = {}): ExpressSessionStore {
    const { libraryOf, librarySessionStore, ownSessionStore } = expressSessionStoreRoom();
    const library = libraryOf(options);
    if (library === undefined) return (this.#ownSessionStore ??= ownSessionStore(this.#http));
    return librarySessionStore(this.#http, library);
  }

  /** Stops the clearing job, waits for what is under way, and closes the store. Later calls reject with `SESSION_CLOSED`. */
  close(): Promise<void> {
    return this.#given(async () => {
      this.#closed = true;
      this.#clearJob?.stop();
      this.#clientlessMade?.stop();
      await this.#store.close();
    });
  }

  /** What the app is given of a promise: one that it may forget, which then fails the request that it was made in. */
  #given<T>(work: () => Promise<T>): Promise<T> {
    const holder = currentHolder.getStore();
    return forgettable(work(), (failure) => {
      if (holder?.forgotten === undefined) this.#forgotten(failure);
      else holder.forgotten(failure);
    });
  }

  get #http(): HttpSettings {
    return (this.#settings ??= this.#httpSettings());
  }

  #killFound(query: KillQuery, details: KillDetails): Promise<number> {
    const { now } = this.#options;
    return killFound(
      {
        now,
        find: (wanted) => this.#store.find(wanted),
        findUnreadable: (wanted) => this.#store.findUnreadable(wanted),
        kill: (target) => this.#kill(target, "killed", details),
      },
      query,
    );
  }

  /** A live session that is to be ended by its id, also one that can't be read. */
  async #killTarget(id: string): Promise<KillTarget | undefined> {
    try {
      return await this.#store.load(id);
    } catch (error) {
      if (!isUnreadable(error)) throw error;
    }
    for await (const unreadable of this.#store.findUnreadable({ id })) return unreadable;
    return { id, owner: "", isUnreadable: true };
  }

  /** Whether this call ended it. One that had expired by our clock is ended too, but was over already. */
  async #kill(target: KillTarget, reason: EndReason, { by, message }: KillDetails): Promise<boolean> {
    const { id, owner } = target;
    const ending = endingFor(this.#options, reason, by);
    const ended = await this.#store.end(id, message === undefined ? ending : { ...ending, message });
    if (!ended) return false;
    this.#clientlessMade?.ended(id);
    this.#emit("ended", { id, owner, reason });
    return "isUnreadable" in target || !isExpired(target, this.#options.now());
  }

  get #clientless(): ClientlessSessions {
    if (this.#clientlessMade === undefined) {
      const { leaseMs, killCheckMs } = this.#options;
      const onError = (error: unknown) => this.#emitError(error);
      const { ClientlessSessions } = clientlessRoom();
      const settings = { ...this.#policy(), leaseMs, killCheckMs, context: this.#context, onError };
      this.#clientlessMade = new ClientlessSessions(settings);
    }
    return this.#clientlessMade;
  }

  get #reader(): SessionReader {
    if (this.#readerMade === undefined) {
      const { now, isAuthorized } = this.#options;
      const { SessionReader } = adminRoom();
      const unwrittenBytes = (id: string) => this.#traffic.unwritten(id);
      this.#readerMade = new SessionReader({ store: this.#store, now, isAuthorized, unwrittenBytes });
    }
    return this.#readerMade;
  }

  get #administration(): Administration {
    const { now, keepEndedMs, isSuperUser, isPasswordExpired, audit } = this.#options;
    return {
      ...{ now, isSuperUser, isPasswordExpired, audit, reader: this.#reader },
      load: (id) => this.#store.load(id),
      tally: () => this.tally(),
      killTarget: (id) => this.#killTarget(id),
      kill: (target, details) => this.#kill(target, "killed", details),
      killFound: (query, details) => this.#killFound(query, details),
      renew: (id) => this.#store.mutate(id, (record) => touchAt(record, now(), keepEndedMs)),
      actingFor: getUserContext,
      given: (work) => this.#given(work),
      onError: (error) => this.#emitError(error),
    };
  }

  /** What is done after a login; undefined where that is nothing, so that nothing waits for it. */
  #afterLogin(): SessionPolicy["afterLogin"] {
    const { maxSessionsPerUser: max, now } = this.#options;
    if (max === Infinity) return undefined;
    const end = (record: SessionRecord) => this.#kill(record, "limit", { by: null, message: undefined });
    const store = { find: (query: FindQuery) => this.#store.find(query), end, now };
    return (record, began) => endOldest(store, record, max, began === "before" ? record.id : undefined);
  }

  #policy(): SessionPolicy {
    const { secrets, ...options } = this.#options;
    return {
      ...options,
      encryption: new AttributeEncryption(secrets),
      writer: this.#store,
      onCreated: ({ id, owner }) => this.#emit("created", { id, owner }),
      onEnded: ({ id, owner }, reason) => this.#emit("ended", { id, owner, reason }),
    };
  }

  #httpSettings(): HttpSettings {
    const { cookie, secrets, touchIntervalMs, scopeOf } = this.#options;
    const afterLogin = this.#afterLogin();
    const signature = secrets.length > 0 ? new CookieSignature(secrets) : undefined;
    const allowInsecure = cookie.secure === false || process.env.NODE_ENV !== "production";
    return {
      ...this.#policy(),
      touchIntervalMs,
      scopeOf,
      touching: new Set(),
      traffic: this.#traffic,
      cookie: new SessionCookie(cookie, signature, { allowInsecure, onClaimed: () => this.#warnOnce(CLAIMED) }),
      allowInsecure,
      find: (query) => this.#store.find(query),
      sessionStore: () => this.expressSessionStore(),
      ...(afterLogin === undefined ? undefined : { afterLogin }),
      onError: (error) => this.#emitError(error),
      onLate: (error) => {
        if (this.listenerCount("error") > 0 || this.#lateChanges.isFirst(error)) this.#emitError(error);
      },
      onInsecure: () => this.#warnOnce(INSECURE),
      warnOnce: (message) => this.#warnOnce(message),
    };
  }

  #emit<Name extends "created" | "ended">(name: Name, event: SessionEvents[Name][0]): void {
    try {
      (this as EventEmitter).emit(name, event);
    } catch (error) {
      // What is stored stays stored, whatever a listener makes of it.
      this.#emitError(error);
    }
  }

  #emitError(error: unknown): void {
    if (this.listenerCount("error") > 0) this.emit("error", error);
    else warnOf(error);
  }

  #warnOnce(message: string): void {
    if (this.#warned.has(message)) return;
    this.#warned.add(message);
    process.emitWarning(message, {
      type: "CoatcheckWarning",
      ...(message === INSECURE || message === CLAIMED ? { code: "SESSION_INSECURE" } : undefined),
    });
  }
}

function unlessUnreadable(error: unknown): undefined {
  if (!isUnreadable(error)) throw error;
}

/** What plain kills are done with: they are by the owner of the session that the running code belongs to. */
function detailsOf(options: KillOptions, where: string): KillDetails {
  return { by: actor(), message: messageOf(options, where) };
}

function assertSessionId(id: unknown, where: string): asserts id is string {
  if (isSessionId(id)) return;
  throw new SessionError("SESSION_ARGUMENT", `${where} takes a session's id: 43 characters of base64url.`);
}

function ownerArgument(user: unknown): string {
  const where = "killSessionByUser(user)";
  if (typeof user !== "string" || user === "") {
    throw new SessionError(
      "SESSION_ARGUMENT",
      `${where} takes a user id, not ${user === "" ? "an empty string" : typeof user}; to end everyone's sessions call killAllSessions().`,
    );
  }
  assertUserIdForm(user, where);
  return user;
}

/** The user whose session the running code belongs to; null where that is nobody, or can't be told: a kill does not fail for it. */
function actor(): string | null {
  try {
    return currentSession()?.owner ?? null;
  } catch {
    return null;
  }
}
