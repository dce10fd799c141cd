import { Session } from "../session/session";
import type { DeclaredData } from "../session/session-data";
import { STATE } from "../session/session-proxy";
import type { ClientlessState } from "./clientless-state";
import type { Duration } from "../record/duration";
import type { ResultOptions, TaskHandle } from "./tasks/task";

/** How to close a session. */
export interface CloseOptions {
  /** How long to wait for running tasks before they are told to stop. Default: no limit. */
  readonly drainTimeout?: Duration;
}

/**
 * A session that code has opened for a user: the same dict as `req.session`, with no browser and no cookie, and with tasks that
 * run in it. Changes are saved by `save()`, after each task, and by `close()`.
 */
export class ClientlessSession extends Session {
  /** @internal */
  declare [STATE]: ClientlessState;

  /**
   * Starts a task that was defined by `defineTask`, at once. Several may run side by side; a name may be started again. Throws
   * `TASK_UNKNOWN`, `SESSION_ARGUMENT` where the params can't be cloned, and `SESSION_ENDED` where the session is over or closing.
   */
  start(name: string, params?: unknown): TaskHandle {
    return this[STATE].start(name, params);
  }

  /**
   * What the task of this name that was started last returned; rejects with what it threw, and with `TASK_TIMEOUT` when the time is over (the
   * task goes on).
   */
  result(name: string, options?: ResultOptions): Promise<unknown> {
    return this[STATE].given(this[STATE].result(name, options));
  }

  /**
   * Takes no more tasks, waits for those that run, saves, and ends the session. When `drainTimeout` is over, the tasks' `signal` aborts; the session
   * ends in any case, and `TASK_TIMEOUT` tells which of them did not stop. Rejects with `SESSION_ENDED` where it was ended from elsewhere. Closing
   * twice is fine.
   */
  close(options?: CloseOptions): Promise<void> {
    return this[STATE].given(this[STATE].close(options));
  }

  /** What `await using` calls at the end. It asks for it at the beginning, and from then on the session is held by a lease. */
  get [Symbol.asyncDispose](): () => Promise<void> {
    const state = this[STATE];
    state.hold();
    return () => state.close();
  }
}

/** A clientless session as code has it: the dict with the keys that the app declared. */
export type ClientlessSessionDict = ClientlessSession & Partial<DeclaredData>;
