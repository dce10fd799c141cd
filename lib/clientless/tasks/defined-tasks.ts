import { SessionError } from "../../errors";
import { quoted } from "../../record/shown-text";
import type { ClientlessSessionDict } from "../clientless-session";
import type { Duration } from "../../record/duration";

/** The argument of a task. */
export interface TaskContext<Params = unknown> {
  /** The session that it runs in. Its changes are saved when the task is done. */
  readonly session: ClientlessSessionDict;
  /** A copy of the `params` of `start`. */
  readonly params: Params;
  /**
   * Aborts when the session is ended from elsewhere, or its `close` has waited for `drainTimeout`: the task should stop
   * then.
   */
  readonly signal: AbortSignal;
}

/** A unit of work. `result` resolves to what it returns, or rejects with what it throws. */
export type Task<Params = unknown> = (context: TaskContext<Params>) => unknown;

/** How to wait for a result. */
export interface ResultOptions {
  /**
   * How long to wait before `TASK_TIMEOUT`; the task itself goes on. With `0`, only a result that is already there.
   * Default: no limit.
   */
  readonly timeout?: Duration;
}

/** One run of a task. */
export interface TaskHandle {
  /** The name that the task was defined under. */
  readonly name: string;
  /**
   * Resolves to what the run returned. Rejects with what it threw, with `TASK_TIMEOUT`, or where its changes can't be
   * saved.
   */
  result(options?: ResultOptions): Promise<unknown>;
}

/** The tasks that an app has defined, by name. */
export class DefinedTasks {
  readonly #tasks = new Map<string, Task>();

  /** Throws `SESSION_ARGUMENT` for anything but a name and a function, and for a name that is taken. */
  define(name: string, task: Task<never>): void {
    if (typeof name !== "string" || name === "") {
      throw new SessionError("SESSION_ARGUMENT", 'defineTask(name, task) takes a name, such as "report", first.');
    }
    if (typeof task !== "function") {
      throw new SessionError(
        "SESSION_ARGUMENT",
        `defineTask(${quoted(name)}, task) takes a function, such as async ({ session, params, signal }) => result, not ${typeof task}.`,
      );
    }
    if (this.#tasks.has(name)) {
      throw new SessionError(
        "SESSION_ARGUMENT",
        `The task ${quoted(name)} is already defined; give this one another name.`,
      );
    }
    this.#tasks.set(name, task as Task);
  }

  /** Throws `TASK_UNKNOWN`, which lists the names that are defined. */
  find(name: string): Task {
    const task = this.#tasks.get(name);
    if (task === undefined) throw unknownTask(name, "defined", this.#tasks.keys());
    return task;
  }
}

/** `TASK_UNKNOWN`; `known` are the names that were defined or started. */
export function unknownTask(
  name: unknown,
  done: "defined" | "started in this session",
  known: Iterable<string>,
): SessionError {
  const names = [...known].map((one) => quoted(one)).join(", ");
  const what =
    typeof name === "string" ? `No task ${quoted(name)} was` : `A task's name must be a string, and no such task was`;
  return new SessionError(
    "TASK_UNKNOWN",
    `${what} ${done}; ${names === "" ? "there is none yet" : `those that were: ${names}`}.`,
  );
}
