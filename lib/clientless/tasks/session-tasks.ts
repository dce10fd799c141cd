import { SessionError } from "../../errors";
import { forgettable, toldLater } from "../../forgettable";
import type { OnForgotten } from "../../forgettable";
import { currentHolder } from "../../session/current-session";
import type { ClientlessSession } from "../clientless-session";
import { unknownTask } from "./defined-tasks";
import type { DefinedTasks } from "./defined-tasks";
import type { ResultOptions, Task, TaskHandle } from "./task";
import { taskParams } from "./task-params";
import { TaskRun } from "./task-run";
import { TaskScope } from "./task-scope";
import { within } from "./within";

/** How long tasks that were told to stop may take for it, in milliseconds. */
export const STOP_GRACE_MS = 1_000;

/** What the tasks of a session need of it. */
export interface TaskOwner {
  readonly session: ClientlessSession;
  readonly defined: DefinedTasks;
  /** Saves what a task has changed. */
  save(): Promise<void>;
  /** There is a first task running, or none any more. */
  onBusy(isBusy: boolean): void;
  /** Something failed that nobody asks for. */
  onError(error: unknown): void;
}

/** The tasks of one session, side by side. */
export class SessionTasks {
  readonly #owner: TaskOwner;
  readonly #onForgotten: OnForgotten;
  readonly #latest = new Map<string, TaskRun>();
  readonly #running = new Set<TaskRun>();

  constructor(owner: TaskOwner) {
    this.#owner = owner;
    this.#onForgotten = toldLater((error) => owner.onError(error));
  }

  get isBusy(): boolean {
    return this.#running.size > 0;
  }

  /** Starts it in this turn. Throws `TASK_UNKNOWN`, or `SESSION_ARGUMENT` where the params can't be cloned. */
  start(name: string, params: unknown): TaskHandle {
    const task = this.#owner.defined.find(name);
    const copy = taskParams(name, params);
    const run = new TaskRun(name);
    this.#tellOf(this.#latest.get(name));
    this.#latest.set(name, run);
    this.#running.add(run);
    if (this.#running.size === 1) this.#owner.onBusy(true);
    run.begin(() => this.#perform(run, task, copy));
    void run.concluded.then(() => this.#conclude(run));
    return { name, result: (options) => forgettable(run.result(options), this.#onForgotten) };
  }

  /** The result of the latest run of this name. Rejects with `TASK_UNKNOWN` where it was never started here. */
  async result(name: string, options?: ResultOptions): Promise<unknown> {
    const run = this.#latest.get(name);
    if (run === undefined) throw unknownTask(name, "started in this session", this.#latest.keys());
    return run.result(options);
  }

  abort(reason: SessionError): void {
    for (const run of this.#running) run.abort(reason);
  }

  /**
   * Waits until all are done; when the time is over they are told to stop. Answers the names of those that did not. What failed, and nobody
   * asked for, is told then.
   */
  async drain(timeoutMs: number): Promise<readonly string[]> {
    if (!(await this.#done(timeoutMs))) {
      this.abort(new SessionError("SESSION_ENDED", "The session is closing, and its drainTimeout is over."));
      await this.#done(STOP_GRACE_MS);
    }
    for (const run of this.#latest.values()) this.#tellOf(run);
    return [...this.#running].filter((run) => run.isRunning).map((run) => run.name);
  }

  #done(timeoutMs: number): Promise<boolean> | true {
    return this.#running.size === 0 || within(timeoutMs, Promise.all([...this.#running].map((run) => run.concluded)));
  }

  async #perform(run: TaskRun, task: Task, params: unknown): Promise<unknown> {
    const { session } = this.#owner;
    const { signal } = run;
    let result: unknown;
    try {
      result = await currentHolder.run(new TaskScope(session, run), async () => task({ session, params, signal }));
    } catch (error) {
      await this.#owner.save().catch((failure: unknown) => this.#failedToSave(failure));
      throw error;
    }
    await this.#owner.save();
    return result;
  }

  /** That the session is over is told by its close, and what the task threw by its result. */
  #failedToSave(error: unknown): void {
    if (!(error instanceof SessionError && error.code === "SESSION_ENDED")) this.#owner.onError(error);
  }

  #conclude(run: TaskRun): void {
    this.#running.delete(run);
    if (this.#running.size === 0) this.#owner.onBusy(false);
  }

  #tellOf(run: TaskRun | undefined): void {
    const failure = run?.takeUntold();
    if (failure !== undefined) this.#owner.onError(failure.error);
  }
}
