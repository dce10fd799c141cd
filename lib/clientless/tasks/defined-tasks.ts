import { SessionError } from "../../errors";
import { quoted } from "../../record/shown-text";
import type { Task } from "./task";

/** The tasks that an app has defined, by name. */
export class DefinedTasks {
  readonly #tasks = new Map<string, Task>();

  /** Throws `SESSION_ARGUMENT` for what is no task, and for a name that is taken. */
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
        `The task ${quoted(name)} is defined already; name this one otherwise.`,
      );
    }
    this.#tasks.set(name, task as Task);
  }

  /** Throws `TASK_UNKNOWN`, which tells the names that there are. */
  find(name: string): Task {
    const task = this.#tasks.get(name);
    if (task === undefined) throw unknownTask(name, "defined", this.#tasks.keys());
    return task;
  }
}

/** `TASK_UNKNOWN`; `known` are the names that were defined, or started. */
export function unknownTask(
  name: unknown,
  done: "defined" | "started in this session",
  known: Iterable<string>,
): SessionError {
  const names = [...known].map((one) => quoted(one)).join(", ");
  const what = typeof name === "string" ? `No task ${quoted(name)} was` : `A task's name is a string, and no such was`;
  return new SessionError(
    "TASK_UNKNOWN",
    `${what} ${done}; ${names === "" ? "there is none yet" : `there is ${names}`}.`,
  );
}
