/** Lets what is done with a session happen one after the other, and remembers what nobody was told of. */
export class Turns {
  /** What comes next waits for this. */
  #turn: Promise<unknown> | undefined;
  /** The same as the app was given it. */
  #given: Promise<unknown> | undefined;
  #failure: unknown;
  readonly #isTold: (error: unknown) => boolean;

  /** `isTold`: whether somebody is told of a failure even where the app does not await it. */
  constructor(isTold: (error: unknown) => boolean) {
    this.#isTold = isTold;
  }

  /** What is under way, as the app was given it; undefined for nothing. */
  get underWay(): Promise<unknown> | undefined {
    return this.#given;
  }

  /** What failed last, and was told to whoever asked for it. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Does this once everything before it is done, well or not. */
  next<T>(work: () => Promise<T>): Promise<T> {
    return this.take(this.#turn === undefined ? work() : this.#turn.then(work, work));
  }

  /** Takes the turn. The app is given the very promise that `underWay` answers: a failure that it does not await is told there. */
  take<T>(turn: Promise<T>): Promise<T> {
    const given = turn.then(
      (value) => {
        this.#end(turn);
        return value;
      },
      async (error: unknown) => {
        this.#failure = error;
        if (this.#isTold(error)) given.catch(() => undefined);
        // A handler that did not wait and ends its response now still finds the failure; one that did wait comes later.
        await null;
        this.#end(turn);
        throw error;
      },
    );
    this.#turn = turn;
    this.#given = given;
    return given;
  }

  #end(turn: Promise<unknown>): void {
    if (this.#turn === turn) this.#turn = this.#given = undefined;
  }
}
