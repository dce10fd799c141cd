/** How many items are asked for before they are needed: a store reads its next page while the last one is worked on. */
const AHEAD = 64;

/** The same items, some of which are read ahead. Nothing is read before the first is asked for. */
export class ReadAhead<T> implements AsyncIterator<T> {
  readonly #items: AsyncIterator<T>;
  readonly #asked: Promise<IteratorResult<T>>[] = [];

  constructor(items: AsyncIterable<T>) {
    this.#items = items[Symbol.asyncIterator]();
  }

  next(): Promise<IteratorResult<T>> {
    while (this.#asked.length <= AHEAD) {
      const asked = this.#items.next();
      // Whoever takes it learns of its failure.
      asked.catch(() => undefined);
      this.#asked.push(asked);
    }
    return this.#asked.shift() ?? this.#items.next();
  }

  async return(): Promise<IteratorResult<T>> {
    await Promise.allSettled([...this.#asked, this.#items.return?.()]);
    return { done: true, value: undefined };
  }
}
