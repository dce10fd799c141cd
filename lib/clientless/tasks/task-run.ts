import { SessionError } from "../../errors";
import { durationArgument, MAX_TIMER_MS, within } from "../../record/duration";
import { quoted } from "../../record/shown-text";
import { assertCallOptions } from "../../options/reader/read-options";
import type { ResultOptions } from "./defined-tasks";

/** One run of a task, from its start. */
export class TaskRun {
  readonly name: string;
  readonly #controller = new AbortController();
  #outcome: Promise<unknown> = Promise.resolve();
  #isRunning = true;
  #failure: { readonly error: unknown } | undefined;
  #isAskedFor = false;

  constructor(name: string) {
    this.name = name;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** False once the task has succeeded or failed, and its changes are saved. */
  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Resolves when it is done; never rejects. */
  get concluded(): Promise<unknown> {
    return this.#outcome.catch(() => undefined);
  }

  /** Starts the work, synchronously. It includes what has to follow the task. */
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
    // `takeUnasked` returns a failure that nobody asked for.
    this.#outcome.catch(() => undefined);
  }

  /** Resolves to what the task returned. Rejects with what it threw, or with `TASK_TIMEOUT`. */
  async result(options: ResultOptions = {}): Promise<unknown> {
    const call = "result(name, options)";
    assertCallOptions(options, ["timeout"], call, `${call} takes options such as { timeout: "30s" }.`);
    const timeoutMs = durationArgument("timeout", options.timeout ?? Infinity, 0, MAX_TIMER_MS);
    this.#isAskedFor = true;
    if (!(await isSettledWithin(timeoutMs, this.#outcome))) {
      this.#isAskedFor = false;
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

  /** The failure, once, if nobody has asked for the result. */
  takeUnasked(): { readonly error: unknown } | undefined {
    if (this.#isAskedFor || this.#failure === undefined) return undefined;
    this.#isAskedFor = true;
    return this.#failure;
  }
}

/** Waits for a promise, at most this long. Resolves to whether it was fulfilled or rejected by then. */
export async function isSettledWithin(timeoutMs: number, work: Promise<unknown>): Promise<boolean> {
  const settled = work.then(
    () => true,
    () => true,
  );
  return timeoutMs > MAX_TIMER_MS ? settled : within(timeoutMs, settled, () => false);
}
