import type { Versioned } from "./lmdb-record";

/** How many bytes of packed records one generation holds; two generations are kept. */
const GENERATION_BYTES = 4 * 1024 * 1024;
/** What a record costs here beside its packed bytes. */
const OVERHEAD_BYTES = 1024;

/**
 * Records as they were unpacked last, so that what has not changed is not unpacked again. For a reader it answers for a version
 * that was just read from LMDB, never instead of reading: no two writes have the same version, so the same version is the same record.
 */
export class LmdbCache<R> {
  #young = new Map<string, Versioned<R>>();
  #old = new Map<string, Versioned<R>>();
  #youngBytes = 0;

  /** The record that was kept with this version. */
  get(id: string, version: number): Versioned<R> | undefined {
    const kept = this.last(id);
    return kept?.version === version ? kept : undefined;
  }

  /** The record that was kept last; it may have been changed or deleted since, so this is for a write that has its version as condition. */
  last(id: string): Versioned<R> | undefined {
    return this.#young.get(id) ?? this.#old.get(id);
  }

  forget(id: string): void {
    this.#young.delete(id);
    this.#old.delete(id);
  }

  /** Keeps a record whose packed form has this many bytes; those kept longest ago are forgotten. */
  keep(id: string, record: Versioned<R>, bytes: number): void {
    if (this.#youngBytes > GENERATION_BYTES) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngBytes = 0;
    }
    this.#young.set(id, record);
    // One that is kept again counts again, which only ends the generation earlier.
    this.#youngBytes += bytes + OVERHEAD_BYTES;
  }
}
