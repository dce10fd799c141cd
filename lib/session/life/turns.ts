/** Lets what is done with a session happen one after the other. */
export class Turns {
  /** What comes next waits for this. */
  #turn: Promise<unknown> | undefined;
  /** The same as the caller was given it. */
  #given: Promise<unknown> | undefined;
  #failure: unknown;
  #count = 0;

  /** What is under way; undefined for nothing. */
  get underWay(): Promise<unknown> | undefined {
    return this.#given;
  }

  /** How many turns were taken so far. */
  get count(): number {
    return this.#count;
  }

  /** What failed last. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Does this once everything before it is done, well or not. */
  next<T>(work: () => Promise<T>): Promise<T> {
    return this.take(this.#turn === undefined ? work() : this.#turn.then(work, work));
  }

  /** Takes the turn. */
  take<T>(turn: Promise<T>): Promise<T> {
    const given = turn.then(
      (value) => {
        this.#end(turn);
        return value;
      },
      async (error: unknown) => {
        this.#failure = error;
        // A handler that did not wait and ends its response now still finds the failure; one that did wait comes later.
        await null;
        this.#end(turn);
        throw error;
      },
    );
    this.#count += 1;
    this.#turn = turn;
    this.#given = given;
    return given;
  }

  #end(turn: Promise<unknown>): void {
    if (this.#turn === turn) this.#turn = this.#given = undefined;
  }
}
