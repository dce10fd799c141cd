import { SessionError } from "../errors";
import { forgettable, toldLater } from "../forgettable";
import { durationArgument, MAX_TIMER_MS } from "../record/duration";
import { quoted, shownText } from "../record/shown-text";
import { assertCallOptions } from "../options/reader/read-options";
import { isExpired, touchAt } from "../record/expiry";
import { CLIENTLESS_SCOPE } from "../record/session-record";
import { endingFor } from "../session/life/session-ended";
import type { SessionOrigin, SessionPolicy } from "../session/life/session-policy";
import { StoredSession } from "../session/life/stored-session";
import type { OwnContext } from "../stores/own-context";
import { ClientlessSession } from "./clientless-session";
import type { CloseOptions } from "./clientless-session";
import type { OpenSessions } from "./open-sessions";
import type { DefinedTasks, ResultOptions, TaskHandle } from "./tasks/defined-tasks";
import { ClientlessContext, SessionTasks } from "./tasks/session-tasks";
import { enclosingContext } from "./user-context";

/** A lease is renewed this many times in its length, so that one renewal that fails loses nothing. */
const RENEWALS_PER_LEASE = 3;

/** What clientless sessions work with. Durations in milliseconds. */
export interface ClientlessSettings extends SessionPolicy {
  /** How long a session with a lease outlives its process. */
  readonly leaseMs: number;
  /** How often a watched session is checked for having been ended elsewhere. */
  readonly killCheckMs: number;
  /** The asynchronous context of the timer, which belongs to no request. */
  readonly context: OwnContext;
  /** Reports a failure that nobody waits for. */
  readonly onError: (error: unknown) => void;
}

/** The state behind a clientless session: its record, its tasks, its lease, and its end. */
export class ClientlessState extends StoredSession {
  readonly #settings: ClientlessSettings;
  readonly #open: OpenSessions;
  readonly #tasks: SessionTasks;
  readonly #own: ClientlessSession;
  #hasLease = false;
  #isChecking = false;
  /** Why no more tasks may start: the session is closing, closed, or was ended from elsewhere. */
  #refusal: SessionError | undefined;
  #wasEndedElsewhere = false;
  #ending: Promise<void> | undefined;

  constructor(settings: ClientlessSettings, defined: DefinedTasks, open: OpenSessions) {
    super(settings, undefined);
    this.#settings = settings;
    this.#open = open;
    this.#own = new ClientlessSession(this);
    this.#tasks = new SessionTasks({
      session: this.#own,
      defined,
      save: () => this.save(),
      onBusy: () => this.#watchIfNeeded(),
      onError: settings.onError,
    });
  }

  override get session(): ClientlessSession {
    return this.#own;
  }

  override given<T>(promise: Promise<T>): Promise<T> {
    return forgettable(promise, toldLater(this.#settings.onError));
  }

  protected override origin(): SessionOrigin {
    return { remoteAddress: "", userAgent: "", scope: CLIENTLESS_SCOPE };
  }

  override assertMayStart(): void {
    throw new SessionError(
      "SESSION_CLIENTLESS",
      "A clientless session belongs to one user until it is closed, so login, logout, reset and regenerate are not for it; close() it, and open another.",
    );
  }

  override mayCreate(): boolean {
    return true;
  }

  protected override moved(): void {
    // There is no cookie to renew.
  }

  protected override failed(): void {
    // A failed save may be tried again: no response has failed with it.
  }

  override assertWritable(): void {
    if (this.#ending !== undefined && this.#refusal !== undefined) throw this.#refusal;
  }

  override async destroy(): Promise<never> {
    throw new SessionError(
      "SESSION_CLIENTLESS",
      "A clientless session is ended by close(), which waits for its tasks.",
    );
  }

  override save(): Promise<void> {
    return super.save().catch((error: unknown) => {
      if (isEnding(error)) this.endedElsewhere();
      throw error;
    });
  }

  /** Unlike data, attributes end with their session in memory too: a session known to be over has none. */
  override current(): ReturnType<StoredSession["current"]> {
    return this.#ending !== undefined || this.#wasEndedElsewhere ? undefined : super.current();
  }

  start(name: string, params: unknown): TaskHandle {
    if (this.#refusal !== undefined) throw this.#refusal;
    return this.#tasks.start(name, params);
  }

  result(name: string, options?: ResultOptions): Promise<unknown> {
    return this.#tasks.result(name, options);
  }

  /** From now on the session lives only as long as its lease is renewed. */
  takeLease(): void {
    if (this.#hasLease || this.#refusal !== undefined) return;
    this.#hasLease = true;
    this.#watchIfNeeded();
    void this.check();
  }

  async close(options: CloseOptions = {}): Promise<void> {
    const notAnObject = 'close(options) takes options such as { drainTimeout: "30s" }.';
    assertCallOptions(options, ["drainTimeout"], "close(options)", notAnObject);
    const drainMs = durationArgument("drainTimeout", options.drainTimeout ?? Infinity, 0, MAX_TIMER_MS);
    this.#assertNotInside();
    this.#refusal ??= new SessionError("SESSION_ENDED", `The session ${this.id} is closed; open another.`);
    const late = await this.#tasks.drain(drainMs);
    await (this.#ending ??= this.#end());
    if (late.length > 0) {
      throw new SessionError(
        "TASK_TIMEOUT",
        `The session ${this.id} is closed, but these tasks did not stop when their signal aborted: ${late.map(shownText).join(", ")}.`,
      );
    }
  }

  /** Checks that the session is still live, and renews its lease where that is due. Never rejects. */
  async check(): Promise<void> {
    if (this.#isChecking || this.#wasEndedElsewhere || this.#ending !== undefined) return;
    this.#isChecking = true;
    try {
      if (!(await this.#renewIfDue())) this.endedElsewhere();
    } catch (error) {
      if (isEnding(error)) this.endedElsewhere();
      else this.#settings.onError(error);
    } finally {
      this.#isChecking = false;
    }
  }

  /** The session was killed or has expired: aborts its tasks, and lets `close` say so. */
  endedElsewhere(): void {
    if (this.#ending === undefined) this.#giveUp();
  }

  #giveUp(): void {
    if (this.#wasEndedElsewhere) return;
    this.#wasEndedElsewhere = true;
    this.#refusal = new SessionError(
      "SESSION_ENDED",
      `The session ${this.id} was ended from elsewhere, or has expired; what was not saved by then is lost.`,
    );
    this.#tasks.abort(this.#refusal);
    this.#open.forget(this);
  }

  /** Resolves to whether the session is live. Writes only to renew the lease. */
  async #renewIfDue(): Promise<boolean> {
    const { record } = this;
    const { now, leaseMs, keepEndedMs } = this.#settings;
    if (!this.#hasLease || record === undefined) return this.#isLive();
    if (record.idleMs !== leaseMs) {
      await this.change(({ endsAt, lastSeenAt }) => ({
        idleMs: leaseMs,
        ...touchAt({ idleMs: leaseMs, endsAt, lastSeenAt }, now(), keepEndedMs),
      }));
    } else if (now() - record.lastSeenAt >= leaseMs / RENEWALS_PER_LEASE) {
      await this.touch();
    } else {
      return this.#isLive();
    }
    return true;
  }

  async #isLive(): Promise<boolean> {
    const { writer, now } = this.#settings;
    const record = await writer.load(this.id);
    return record !== undefined && !isExpired(record, now());
  }

  /** Saves and ends the session, even if the save fails. */
  async #end(): Promise<void> {
    let unsaved: { readonly error: unknown } | undefined;
    try {
      if (!this.#wasEndedElsewhere) {
        await super.save().catch((error: unknown) => (unsaved = { error }));
        if (!(await this.#endRecord())) this.#giveUp();
      }
    } catch (error) {
      // The session may still be live, so close() may be tried again.
      this.#ending = undefined;
      throw error;
    } finally {
      this.#hasLease = false;
      this.#open.unwatch(this);
    }
    this.#open.forget(this);
    if (this.#wasEndedElsewhere && this.#refusal !== undefined) throw this.#refusal;
    if (unsaved !== undefined) throw unsaved.error;
  }

  /** Resolves to false where the session was over already. */
  async #endRecord(): Promise<boolean> {
    const { record } = this;
    const { writer, now, onEnded } = this.#settings;
    if (record === undefined || (isExpired(record, now()) && !(await this.#isLive()))) return false;
    const ended = await writer.end(record.id, endingFor(this.#settings, "closed", record.owner));
    if (ended) onEnded(record, "closed");
    return ended;
  }

  #watchIfNeeded(): void {
    if (!this.#wasEndedElsewhere && (this.#hasLease || this.#tasks.isBusy)) this.#open.watch(this);
    else this.#open.unwatch(this);
  }

  #assertNotInside(): void {
    const context = enclosingContext();
    if (context instanceof ClientlessContext && context.session === this.#own && context.run?.isRunning === true) {
      throw new SessionError(
        "SESSION_ARGUMENT",
        `The task ${quoted(context.run.name)} would wait for itself in close(); close the session where it was opened.`,
      );
    }
  }
}

/** Whether an error says that the session is over. */
export function isEnding(error: unknown): boolean {
  return error instanceof SessionError && error.code === "SESSION_ENDED";
}
