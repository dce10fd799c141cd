import { SessionError } from "../../errors";
import { forgettable, toldLater } from "../../forgettable";
import type { OnForgotten } from "../../forgettable";
import { quoted, shownText } from "../../record/shown-text";
import { refusedPart } from "../../record/value/storable-copy";
import { currentHolder } from "../../session/current-session";
import type { SessionHolder } from "../../session/current-session";
import type { ClientlessSession } from "../clientless-session";
import { unknownTask } from "./defined-tasks";
import type { DefinedTasks, ResultOptions, Task, TaskHandle } from "./defined-tasks";
import { isSettledWithin, TaskRun } from "./task-run";

/**
 * The context of code in a clientless session: of a task's run, or, without one, of the function of
 * `withClientlessSession`.
 */
export class ClientlessContext implements SessionHolder {
  readonly session: ClientlessSession;
  readonly run: TaskRun | undefined;
  declare actingFor?: string;

  constructor(session: ClientlessSession, run?: TaskRun) {
    this.session = session;
    this.run = run;
  }
}

/** How long tasks may take to stop after their `signal` aborted, in milliseconds. */
export const STOP_GRACE_MS = 1_000;

/** What the tasks of a session use of it. */
export interface TaskOwner {
  readonly session: ClientlessSession;
  readonly defined: DefinedTasks;
  /** Saves the changes of a task. */
  save(): Promise<void>;
  /** Called when the first task starts, and when the last is done. */
  onBusy(isBusy: boolean): void;
  /** Reports a failure that nobody else receives. */
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

  /** Starts a task, synchronously. Throws `TASK_UNKNOWN`, or `SESSION_ARGUMENT` where the params can't be cloned. */
  start(name: string, params: unknown): TaskHandle {
    const task = this.#owner.defined.find(name);
    const copy = taskParams(name, params);
    const run = new TaskRun(name);
    this.#reportFailure(this.#latest.get(name));
    this.#latest.set(name, run);
    this.#running.add(run);
    if (this.#running.size === 1) this.#owner.onBusy(true);
    run.begin(() => this.#perform(run, task, copy));
    void run.concluded.then(() => this.#conclude(run));
    return { name, result: (options) => forgettable(run.result(options), this.#onForgotten) };
  }

  /** The result of the latest run of this name. Rejects with `TASK_UNKNOWN` where there was none in this session. */
  async result(name: string, options?: ResultOptions): Promise<unknown> {
    const run = this.#latest.get(name);
    if (run === undefined) throw unknownTask(name, "started in this session", this.#latest.keys());
    return run.result(options);
  }

  abort(reason: SessionError): void {
    for (const run of this.#running) run.abort(reason);
  }

  /**
   * Waits until all tasks are done; after `timeoutMs` it aborts their signals. Resolves to the names of those that did
   * not stop. Failures that nobody asked for are reported then.
   */
  async drain(timeoutMs: number): Promise<readonly string[]> {
    if (!(await this.#done(timeoutMs))) {
      this.abort(new SessionError("SESSION_ENDED", "The session is closing, and its drainTimeout is over."));
      await this.#done(STOP_GRACE_MS);
    }
    for (const run of this.#latest.values()) this.#reportFailure(run);
    return [...this.#running].filter((run) => run.isRunning).map((run) => run.name);
  }

  #done(timeoutMs: number): Promise<boolean> | true {
    return (
      this.#running.size === 0 ||
      isSettledWithin(timeoutMs, Promise.all([...this.#running].map((run) => run.concluded)))
    );
  }

  async #perform(run: TaskRun, task: Task, params: unknown): Promise<unknown> {
    const { session } = this.#owner;
    const { signal } = run;
    let result: unknown;
    try {
      result = await currentHolder.run(new ClientlessContext(session, run), async () =>
        task({ session, params, signal }),
      );
    } catch (error) {
      await this.#owner.save().catch((failure: unknown) => this.#failedToSave(failure));
      throw error;
    }
    await this.#owner.save();
    return result;
  }

  /** An ended session is reported by `close`, and what the task threw by its result. */
  #failedToSave(error: unknown): void {
    if (!(error instanceof SessionError && error.code === "SESSION_ENDED")) this.#owner.onError(error);
  }

  #conclude(run: TaskRun): void {
    this.#running.delete(run);
    if (this.#running.size === 0) this.#owner.onBusy(false);
  }

  #reportFailure(run: TaskRun | undefined): void {
    const failure = run?.takeUnasked();
    if (failure !== undefined) this.#owner.onError(failure.error);
  }
}

/**
 * A copy of the params, so that neither side sees the other's changes. Throws `SESSION_ARGUMENT` where they can't be
 * cloned.
 */
function taskParams(name: string, params: unknown): unknown {
  try {
    return structuredClone(params);
  } catch {
    // The error of structuredClone quotes the value, so it is not kept as the cause.
    const { path, is, instead } = refusedPart("params", params);
    throw new SessionError(
      "SESSION_ARGUMENT",
      `start(${quoted(name)}, params): ${shownText(path)} is ${shownText(is)}, and params can't be cloned; ${instead}.`,
    );
  }
}
