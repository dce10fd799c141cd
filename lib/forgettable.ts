/** A failure that nobody had taken when it happened. */
export interface ForgottenFailure {
  readonly error: unknown;
  /** Whether somebody has taken it since. */
  readonly isTaken: () => boolean;
}

/** Called with a failure that nobody has taken. */
export type OnForgotten = (failure: ForgottenFailure) => void;

/**
 * A promise that the app may forget to await: its failure then goes to `onForgotten`, and doesn't end the process. So
 * does the failure of a promise derived from it (`promise.then(next)` without a `catch`), as long as that is the same
 * error; an error that the app throws itself stays the app's.
 */
export function forgettable<T>(promise: Promise<T>, onForgotten: OnForgotten): Promise<T> {
  return new ForgettablePromise(promise, { onForgotten, failure: undefined });
}

/**
 * An `OnForgotten` that hands the error on when this turn of the event loop is over, unless somebody has taken it by
 * then.
 */
export function toldLater(onError: (error: unknown) => void): OnForgotten {
  return (failure) => {
    setImmediate(() => {
      if (!failure.isTaken()) onError(failure.error);
    });
  };
}

/** What a promise and all promises derived from it have in common. */
interface Origin {
  readonly onForgotten: OnForgotten;
  /** The failure of the first promise, once it has failed. */
  failure: { readonly error: unknown; isTold: boolean } | undefined;
}

/** A class other than Promise, so that `await` calls its `then`: that is how it knows that somebody has taken it. */
class ForgettablePromise<T> extends Promise<T> {
  readonly #origin: Origin;
  #isTaken = false;

  /** `super.then` makes a plain promise, which `then` wraps. */
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  constructor(promise: Promise<T>, origin: Origin) {
    super((resolve, reject) => void promise.then(resolve, reject));
    this.#origin = origin;
    // What this throws is the app's own error, and ends the process as it does without us.
    void super.then(undefined, (error: unknown) => this.#failed(error));
  }

  override then<R = T, E = never>(
    onFulfilled?: ((value: T) => R | PromiseLike<R>) | null,
    onRejected?: ((error: unknown) => E | PromiseLike<E>) | null,
  ): Promise<R | E> {
    this.#isTaken = true;
    return new ForgettablePromise(super.then(onFulfilled, onRejected), this.#origin);
  }

  #failed(error: unknown): void {
    const { onForgotten } = this.#origin;
    const failure = (this.#origin.failure ??= { error, isTold: false });
    if (this.#isTaken) return;
    if (error !== failure.error) throw error;
    if (failure.isTold) return;
    failure.isTold = true;
    onForgotten({ error, isTaken: () => this.#isTaken });
  }
}
