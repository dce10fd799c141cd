/** Lets works on the same id happen one after the other; those on different ids do not wait for each other. */
export class TurnsById {
  /** What comes next on an id waits for this. It never rejects. */
  readonly #last = new Map<string, Promise<unknown>>();

  /** How many ids have something under way. */
  get size(): number {
    return this.#last.size;
  }

  /** Does this once everything before it on the same id is done, well or not; at once where nothing is. */
  async take<T>(id: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(id);
    const working = before === undefined ? work() : before.then(work);
    const settled = working.catch(() => undefined);
    this.#last.set(id, settled);
    try {
      return await working;
    } finally {
      if (this.#last.get(id) === settled) this.#last.delete(id);
    }
  }
}
