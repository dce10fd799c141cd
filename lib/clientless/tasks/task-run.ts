import { SessionError } from "../../errors";
import { durationArgument, MAX_TIMER_MS } from "../../record/duration";
import { quoted } from "../../record/shown-text";
import { assertCallOptions } from "../../options/reader/read-options";
import type { ResultOptions } from "./task";
import { within } from "./within";

/** One run of a task, from its start. */
export class TaskRun {
  readonly name: string;
  readonly #controller = new AbortController();
  #outcome: Promise<unknown> = Promise.resolve();
  #isRunning = true;
  #failure: { readonly error: unknown } | undefined;
  #isTold = false;

  constructor(name: string) {
    this.name = name;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** False once the task is done, well or not, and its changes are saved. */
  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Resolves when it is done; never rejects. */
  get concluded(): Promise<unknown> {
    return this.#outcome.catch(() => undefined);
  }

  /** Begins, in this turn. `work` includes what has to follow the task. */
  begin(work: () => Promise<unknown>): void {
    this.#outcome = work().then(
      (result) => {
        this.#isRunning = false;
        return result;
      },
      (error: unknown) => {
        this.#isRunning = false;
        this.#failure = { error };
        throw error;
      },
    );
    // A failure that nobody asks for is told by `takeUntold`.
    this.#outcome.catch(() => undefined);
  }

  /** What the task returned; rejects with what it threw, or with `TASK_TIMEOUT`. */
  async result(options: ResultOptions = {}): Promise<unknown> {
    const call = "result(name, options)";
    assertCallOptions(options, ["timeout"], call, `${call} takes options such as { timeout: "30s" }.`);
    const timeoutMs = durationArgument("timeout", options.timeout ?? Infinity, 0, MAX_TIMER_MS);
    this.#isTold = true;
    if (!(await within(timeoutMs, this.#outcome))) {
      this.#isTold = false;
      throw new SessionError(
        "TASK_TIMEOUT",
        `The task ${quoted(this.name)} was not done within ${timeoutMs} ms (timeout); it goes on.`,
      );
    }
    return this.#outcome;
  }

  abort(reason: SessionError): void {
    if (this.#isRunning) this.#controller.abort(reason);
  }

  /** What it failed with, once, where nobody has asked for its result. */
  takeUntold(): { readonly error: unknown } | undefined {
    if (this.#isTold || this.#failure === undefined) return undefined;
    this.#isTold = true;
    return this.#failure;
  }
}
