/** About how many bytes of records one generation holds; two generations are kept. */
const GENERATION_BYTES = 4 * 1024 * 1024;
/** What a record costs here beside its data. */
const OVERHEAD_BYTES = 1024;

/** What was read or written last, by id; those used longest ago are forgotten. Whoever asks must know that nobody else has written since. */
export class RecordCache<T> {
  #young = new Map<string, T>();
  #old = new Map<string, T>();
  #youngBytes = 0;

  get(id: string): T | undefined {
    return this.#young.get(id) ?? this.#old.get(id);
  }

  /** Keeps a record whose data have about this many bytes. One that is kept again counts again, which only ends the generation earlier. */
  keep(id: string, record: T, bytes: number): void {
    if (this.#youngBytes > GENERATION_BYTES) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngBytes = 0;
    }
    this.#young.set(id, record);
    this.#youngBytes += bytes + OVERHEAD_BYTES;
  }

  forget(id: string): void {
    this.#young.delete(id);
    this.#old.delete(id);
  }

  clear(): void {
    if (this.#young.size > 0) this.#young = new Map();
    if (this.#old.size > 0) this.#old = new Map();
    this.#youngBytes = 0;
  }
}
