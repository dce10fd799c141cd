import type { ClientlessSessionDict } from "../clientless-session";
import type { Duration } from "../../record/duration";

/** What a task is given. */
export interface TaskContext<Params = unknown> {
  /** The session that it runs in. What it changes there is saved when it is done. */
  readonly session: ClientlessSessionDict;
  /** A copy of what `start` was given. */
  readonly params: Params;
  /** Aborts when the session is ended from elsewhere, or is closed and its `drainTimeout` is over: the task should stop then. */
  readonly signal: AbortSignal;
}

/** A unit of work. What it returns, or throws, is what `result` gives. */
export type Task<Params = unknown> = (context: TaskContext<Params>) => unknown;

/** How to wait for a result. */
export interface ResultOptions {
  /** How long to wait before `TASK_TIMEOUT`; the task itself goes on. `0` answers what is there already. Default: no limit. */
  readonly timeout?: Duration;
}

/** One start of a task, for those who need the result of each. */
export interface TaskHandle {
  readonly name: string;
  /** What the task returned; rejects with what it threw, with `TASK_TIMEOUT`, or with why its changes could not be saved. */
  result(options?: ResultOptions): Promise<unknown>;
}
