import { EventEmitter } from "node:events";
import { assertFilter, passes, queryFor } from "./admin/session-filter";
import type { SessionFilter } from "./admin/session-filter";
import { sessionInfo } from "./admin/session-info";
import type { SessionInfo } from "./admin/session-info";
import type { ClientlessSession, CloseOptions } from "./clientless/clientless-session";
import { ClientlessSessions } from "./clientless/clientless-sessions";
import type { OpenOptions } from "./clientless/open-options";
import type { Task } from "./clientless/task";
import { getUserContext, setUserContext, withUserContext } from "./clientless/user-context";
import { SessionError } from "./errors";
import { CookieSignature } from "./http/cookie-signature";
import type { HttpSettings } from "./http/http-settings";
import { sessionHandler } from "./http/middleware";
import type { SessionHandler } from "./http/middleware";
import { SessionCookie } from "./http/session-cookie";
import { ClearJob } from "./jobs/clear-job";
import type { SessionOptions } from "./options";
import { AttributeCipher } from "./record/attribute-cipher";
import { CLEAR_GRACE_MS, isExpired } from "./record/expiry";
import { isSessionId } from "./record/session-id";
import { GUEST_USER, isEnded } from "./record/session-record";
import type { EndReason, EndedRecord, SessionRecord } from "./record/session-record";
import { DEFAULT_SCHEDULE, checkedSchedule, resolveOptions } from "./resolved-options";
import type { ResolvedOptions } from "./resolved-options";
import { currentSession } from "./session/current-session";
import { endingFor } from "./session/ending-for";
import type { Session } from "./session/session";
import { assertUserIdForm } from "./session/session-owner";
import type { SessionPolicy } from "./session/session-policy";
import { storeByEnvironment } from "./store-by-environment";
import { GuardedStore } from "./stores/guarded-store";
import type { ClearProgress, FindQuery } from "./stores/store";

/** What is told of a session that began or ended in this process. */
export interface SessionEvent {
  readonly id: string;
  readonly owner: string;
}

/** The events of `Sessions`, with what their listeners are given. */
export interface SessionEvents {
  created: [SessionEvent];
  ended: [SessionEvent & { readonly reason: EndReason }];
  /** What no request answers for: a touch beside a request, the clearing job, a listener. Without a listener it is a process warning. */
  error: [unknown];
}

/** How many sessions are ended at a time. */
const KILL_CONCURRENCY = 32;
/** How many whole queries may find sessions without one of them being ended here, before giving up. */
const MAX_FRUITLESS_ROUNDS = 10;

/** One configured set of sessions: every public verb starts here. */
export class Sessions extends EventEmitter<SessionEvents> {
  readonly #options: ResolvedOptions;
  readonly #store: GuardedStore;
  readonly #clientless: ClientlessSessions;
  #handler: SessionHandler | undefined;
  #clearJob: ClearJob | undefined;
  #warnedInsecure = false;
  #closed = false;

  /** Reads and checks the options: throws `SESSION_CONFIG`. Opens the store. */
  constructor(options?: SessionOptions) {
    super();
    this.#options = resolveOptions(options);
    const { store, storeTimeoutMs: timeoutMs, now } = this.#options;
    this.#store = new GuardedStore(store ?? storeByEnvironment({ now }), { timeoutMs, now });
    const { leaseMs, killCheckMs } = this.#options;
    const onError = (error: unknown) => this.#emitError(error);
    this.#clientless = new ClientlessSessions({ ...this.#policy(), leaseMs, killCheckMs, onError });
  }

  /** The Express middleware of these sessions. The first call also starts the clearing job, unless `clearSchedule` is false. */
  middleware(): SessionHandler {
    if (this.#handler === undefined) {
      this.#handler = sessionHandler(this.#httpSettings());
      if (this.#options.clearSchedule !== false) this.startClearSessions();
    }
    return this.#handler;
  }

  /** Ends one session. Resolves to whether it was live until now. */
  async kill(id: string): Promise<boolean> {
    assertSessionId(id, "kill(id)");
    const record = await this.#store.load(id);
    return record !== undefined && (await this.#kill(record));
  }

  /**
   * Ends all sessions of a user, of nobody (`GUEST_USER`), or, called with no argument at all, everyone's. It repeats until a whole query
   * finds none. Resolves to how many it ended. An argument that is not a user id rejects with `SESSION_ARGUMENT`, `undefined` too: a missing
   * request field must not sign everybody out.
   */
  async killSessionByUser(...args: [] | [user: string]): Promise<number> {
    return args.length === 0
      ? this.killAllSessions()
      : this.#killFound({ state: "live", owner: ownerArgument(args[0]) }, () => true);
  }

  /** Ends every session in the store. Resolves to how many it ended. */
  async killAllSessions(): Promise<number> {
    return this.#killFound({ state: "live" }, () => true);
  }

  /** Ends all other sessions of this session's user. Resolves to how many it ended. */
  async killOthers(session: Session): Promise<number> {
    const { id, owner } = session;
    if (owner === GUEST_USER) {
      throw new SessionError(
        "SESSION_ARGUMENT",
        "killOthers(session): this session belongs to nobody, so it has no others.",
      );
    }
    return this.#killFound({ state: "live", owner }, (record) => record.id !== id);
  }

  /** What is known of a session, live or lately ended. Rejects with `SESSION_NOT_FOUND`. */
  async getSession(id: string): Promise<SessionInfo> {
    assertSessionId(id, "getSession(id)");
    const record: SessionRecord | EndedRecord | undefined =
      (await this.#store.load(id)) ?? (await this.#endedRecord(id));
    if (record === undefined) {
      throw new SessionError("SESSION_NOT_FOUND", `There is no session with the id ${id}, and none that ended lately.`);
    }
    return sessionInfo(record, this.#options.now());
  }

  /** The user of a session, live or lately ended; `"Unauthenticated"` for nobody. Rejects with `SESSION_NOT_FOUND`. */
  async getSessionUser(id: string): Promise<string> {
    return (await this.getSession(id)).username;
  }

  /** Who is signed in: the live sessions that pass the filter. */
  async getSessionInfo(filter: SessionFilter = {}): Promise<SessionInfo[]> {
    assertFilter(filter);
    const now = this.#options.now();
    const infos: SessionInfo[] = [];
    for await (const record of this.#store.find(queryFor(filter))) {
      const info = sessionInfo(record, now);
      if (info.endedAt === null && passes(info, filter)) infos.push(info);
    }
    return infos;
  }

  /** Deletes what is past its time now. Resolves to how many records it deleted. */
  async clearSessions(onProgress?: ClearProgress): Promise<number> {
    return this.#store.clear(this.#options.now(), onProgress);
  }

  /** Clears on a schedule, a cron expression; by default the one of the options; a job that runs already is replaced. Errors are emitted, and the job goes on. */
  startClearSessions(schedule?: string): void {
    const wanted = checkedSchedule(schedule ?? (this.#options.clearSchedule || DEFAULT_SCHEDULE));
    if (this.#closed) throw new SessionError("SESSION_CLOSED", "These Sessions were closed, so they can't clear.");
    this.#clearJob?.stop();
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
  async openClientlessSession(user: string, options?: OpenOptions): Promise<ClientlessSession> {
    return this.#clientless.open(user, options);
  }

  /**
   * Closes a clientless session that any process has opened. Where that was this one, it waits for the session's tasks. Rejects with
   * `SESSION_NOT_FOUND` where no clientless session of this id is open.
   */
  async closeClientlessSession(id: string): Promise<void> {
    assertSessionId(id, "closeClientlessSession(id)");
    return this.#clientless.close(id);
  }

  /**
   * Opens a session for a user, runs `fn` in it, waits for its tasks, closes it, and resolves to what `fn` returned. An error of `fn` closes it
   * just so, and is rejected with. Should this process die, the session counts as ended, reason `abandoned`, after `leaseTimeout`.
   */
  async withClientlessSession<T>(
    user: string,
    fn: (session: ClientlessSession) => T | Promise<T>,
    options?: OpenOptions & CloseOptions,
  ): Promise<T> {
    return this.#clientless.with(user, fn, options);
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

  /** Stops the clearing job, waits for what is under way, and closes the store. Later calls reject with `SESSION_CLOSED`. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#clearJob?.stop();
    this.#clientless.stop();
    await this.#store.close();
  }

  async #killFound(query: FindQuery, wanted: (record: SessionRecord) => boolean): Promise<number> {
    let ended = 0;
    for (let fruitless = 0; fruitless < MAX_FRUITLESS_ROUNDS; fruitless += 1) {
      const round = await this.#killRound(query, wanted);
      if (round.found === 0) return ended;
      ended += round.ended;
      if (round.ended > 0) fruitless = -1;
    }
    throw new SessionError(
      "SESSION_CONFLICT",
      `${ended} sessions were ended, but the store still finds others; call it again.`,
    );
  }

  async #killRound(query: FindQuery, wanted: (record: SessionRecord) => boolean) {
    const { now } = this.#options;
    const round = { found: 0, ended: 0 };
    const underWay = new Set<Promise<void>>();
    const failures: unknown[] = [];
    for await (const record of this.#store.find(query)) {
      // What expired longer ago than clocks differ is over on every instance, and keeps its reason.
      if (isEnded(record) || isExpired(record, now() - CLEAR_GRACE_MS) || !wanted(record)) continue;
      if (failures.length > 0) break;
      round.found += 1;
      // A failure is kept until it can be told: nothing awaits this promise while the query goes on.
      const killing = this.#kill(record)
        .then(
          (live) => void (round.ended += live ? 1 : 0),
          (error: unknown) => void failures.push(error),
        )
        .then(() => void underWay.delete(killing));
      underWay.add(killing);
      if (underWay.size >= KILL_CONCURRENCY) await Promise.race(underWay);
    }
    await Promise.all(underWay);
    if (failures.length > 0) throw failures[0];
    return round;
  }

  /** Whether this call ended it. One that had expired by our clock is ended too, but was over already. */
  async #kill(record: SessionRecord): Promise<boolean> {
    const { now, keepEndedMs } = this.#options;
    const ended = await this.#store.end(record.id, endingFor({ now, keepEndedMs }, "killed", actor()));
    if (!ended) return false;
    this.#clientless.ended(record.id);
    this.#emit("ended", { id: record.id, owner: record.owner, reason: "killed" });
    return !isExpired(record, now());
  }

  async #endedRecord(id: string): Promise<EndedRecord | undefined> {
    for await (const record of this.#store.find({ state: "ended", id })) {
      if (isEnded(record) && record.purgeAt > this.#options.now()) return record;
    }
    return undefined;
  }

  #policy(): SessionPolicy {
    const { secrets, ...options } = this.#options;
    return {
      ...options,
      cipher: new AttributeCipher(secrets),
      writer: this.#store,
      onCreated: ({ id, owner }) => this.#emit("created", { id, owner }),
      onEnded: ({ id, owner }, reason) => this.#emit("ended", { id, owner, reason }),
    };
  }

  #httpSettings(): HttpSettings {
    const { cookie, secrets, touchIntervalMs, scopeOf } = this.#options;
    const signature = secrets.length > 0 ? new CookieSignature(secrets) : undefined;
    return {
      ...this.#policy(),
      touchIntervalMs,
      scopeOf,
      touching: new Set(),
      cookie: new SessionCookie(cookie, signature),
      allowInsecure: cookie.secure === false || process.env.NODE_ENV !== "production",
      find: (query) => this.#store.find(query),
      onError: (error) => this.#emitError(error),
      onInsecure: () => this.#warnInsecure(),
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
    else process.emitWarning(error instanceof Error ? error : String(error), "CoatcheckWarning");
  }

  #warnInsecure(): void {
    if (this.#warnedInsecure) return;
    this.#warnedInsecure = true;
    process.emitWarning(
      "No session is created on plain HTTP in production. Behind a proxy that ends HTTPS, set app.set('trust proxy', 1); without HTTPS, set cookie.secure to false.",
      { type: "CoatcheckWarning", code: "SESSION_INSECURE" },
    );
  }
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

/** The user for whom the running code acts; null where that is nobody, or can't be told: a kill does not fail for it. */
function actor(): string | null {
  try {
    return currentSession()?.owner ?? null;
  } catch {
    return null;
  }
}
