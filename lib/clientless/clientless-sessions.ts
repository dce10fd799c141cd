import { SessionError } from "../errors";
import { durationArgument, MAX_TIMER_MS } from "../record/duration";
import { CLIENTLESS_SCOPE } from "../record/session-record";
import { isExpired } from "../record/expiry";
import { currentHolder } from "../session/current-session";
import { endingFor } from "../session/life/session-ended";
import type { ClientlessSessionDict, CloseOptions } from "./clientless-session";
import { ClientlessState, isEnding } from "./clientless-state";
import type { ClientlessSettings } from "./clientless-state";
import { opening } from "./open-options";
import type { Opening, OpenOptions } from "./open-options";
import { OpenSessions } from "./open-sessions";
import { DefinedTasks } from "./tasks/defined-tasks";
import type { Task } from "./tasks/defined-tasks";
import { ClientlessContext } from "./tasks/session-tasks";

/** The clientless sessions of one `Sessions`, and the tasks that can run in them. */
export class ClientlessSessions {
  readonly #settings: ClientlessSettings;
  readonly #defined = new DefinedTasks();
  readonly #open: OpenSessions;

  constructor(settings: ClientlessSettings) {
    this.#settings = settings;
    this.#open = new OpenSessions(Math.min(settings.killCheckMs, settings.leaseMs / 3), settings.context);
  }

  define(name: string, task: Task<never>): void {
    this.#defined.define(name, task);
  }

  async open(user: string, options?: OpenOptions): Promise<ClientlessSessionDict> {
    const state = await this.#create(opening("openClientlessSession(user)", user, options), Infinity);
    return state.session;
  }

  async close(id: string): Promise<void> {
    const here = this.#open.find(id);
    if (here === undefined) return this.#closeElsewhere(id);
    try {
      await here.close();
    } catch (error) {
      throw isEnding(error) ? notFound() : error;
    }
  }

  async with<T>(
    user: string,
    fn: (session: ClientlessSessionDict) => T | Promise<T>,
    options?: OpenOptions & CloseOptions,
  ): Promise<T> {
    const where = "withClientlessSession(user, fn)";
    const wanted = opening(where, user, options, ["drainTimeout"]);
    const drainTimeout = options?.drainTimeout ?? Infinity;
    durationArgument("drainTimeout", drainTimeout, 0, MAX_TIMER_MS);
    if (typeof fn !== "function") {
      throw new SessionError("SESSION_ARGUMENT", `${where} takes a function to run in the session, not ${typeof fn}.`);
    }
    const state = await this.#create(wanted, this.#settings.leaseMs);
    state.takeLease();
    const { session } = state;
    let result: T;
    try {
      result = await currentHolder.run(new ClientlessContext(session), async () => fn(session));
    } catch (error) {
      // The caller gets the function's own error. An ended session may be the cause of it; other failures are reported.
      await state.close({ drainTimeout }).catch((failure: unknown) => {
        if (!isEnding(failure)) this.#settings.onError(failure);
      });
      throw error;
    }
    await state.close({ drainTimeout });
    return result;
  }

  /** Reports that a session was ended in this process, but not by its own `close`. */
  ended(id: string): void {
    this.#open.find(id)?.endedElsewhere();
  }

  /** Stops all leases and checks. */
  stop(): void {
    this.#open.stop();
  }

  async #create({ user, project, maxAgeMs, data }: Opening, idleMs: number): Promise<ClientlessState> {
    const settings: ClientlessSettings = {
      ...this.#settings,
      ...(project === undefined ? undefined : { project }),
      limits: { idleMs, absoluteMs: maxAgeMs },
      // The owner is the user it was opened for, whatever its data say.
      userOf: () => user,
    };
    const state = new ClientlessState(settings, this.#defined, this.#open);
    for (const [key, value] of Object.entries(data)) state.values.set(key, value);
    state.markChanged();
    try {
      await state.save();
    } catch (error) {
      if (isOutcomeUnknown(error)) await this.#takeBack(state.id, user);
      throw error;
    }
    this.#open.add(state);
    return state;
  }

  /** A create whose answer was lost may have left a session that nobody knows and that would never end. */
  async #takeBack(id: string, user: string): Promise<void> {
    try {
      await this.#settings.writer.end(id, endingFor(this.#settings, "closed", user));
    } catch (error) {
      this.#settings.onError(error);
    }
  }

  async #closeElsewhere(id: string): Promise<void> {
    const { writer, now, onEnded } = this.#settings;
    const record = await writer.load(id);
    if (record?.scope !== CLIENTLESS_SCOPE || isExpired(record, now())) throw notFound();
    if (!(await writer.end(id, endingFor(this.#settings, "closed", record.owner)))) throw notFound();
    onEnded(record, "closed");
  }
}

function isOutcomeUnknown(error: unknown): boolean {
  return error instanceof SessionError && error.status === 503 && error.code !== "SESSION_CLOSED";
}

/** Without the id: what was given may be a token. */
function notFound(): SessionError {
  return new SessionError("SESSION_NOT_FOUND", "There is no open clientless session with this id.");
}
