import { Session } from "../session/session";
import type { DeclaredData } from "../session/session-data";
import { STATE } from "../session/session-proxy";
import type { ClientlessState } from "./clientless-state";
import type { Duration } from "../record/duration";
import type { ResultOptions, TaskHandle } from "./tasks/defined-tasks";

/** How to close a session. */
export interface CloseOptions {
  /** How long to wait for running tasks before their `signal` aborts. Default: no limit. */
  readonly drainTimeout?: Duration;
}

/**
 * A session that code opened for a user: the same dict as `req.session`, with no browser and no cookie, and with tasks
 * that run in it. Changes are saved by `save()`, after each task, and by `close()`.
 */
export class ClientlessSession extends Session {
  /** @internal */
  declare [STATE]: ClientlessState;

  /**
   * Starts a task defined by `defineTask`, at once. Several tasks may run side by side, also of one name. Throws
   * `TASK_UNKNOWN`, `SESSION_ARGUMENT` where the params can't be cloned, and `SESSION_ENDED` where the session is over
   * or closing.
   */
  start(name: string, params?: unknown): TaskHandle {
    return this[STATE].start(name, params);
  }

  /**
   * Resolves to what the latest task of this name returned. Rejects with what it threw, and with `TASK_TIMEOUT` where
   * it is not done in time (the task goes on).
   */
  result(name: string, options?: ResultOptions): Promise<unknown> {
    return this[STATE].given(this[STATE].result(name, options));
  }

  /**
   * Takes no more tasks, waits for those that run, saves, and ends the session. After `drainTimeout`, the tasks'
   * `signal` aborts; the session ends in any case, and `TASK_TIMEOUT` names the tasks that did not stop. Rejects with
   * `SESSION_ENDED` where the session was ended from elsewhere. It may be called more than once.
   */
  close(options?: CloseOptions): Promise<void> {
    return this[STATE].given(this[STATE].close(options));
  }

  /**
   * What `await using` calls at the end. It reads this property at the start, and the session has a lease from then on.
   */
  get [Symbol.asyncDispose](): () => Promise<void> {
    const state = this[STATE];
    state.takeLease();
    return () => state.close();
  }
}

/** A clientless session with the data keys that the app declared. */
export type ClientlessSessionDict = ClientlessSession & Partial<DeclaredData>;
