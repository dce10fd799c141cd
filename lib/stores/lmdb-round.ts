import type { Run } from "./lmdb-run";
import type { TimeEntry } from "./lmdb-table";

/** The characters of an owner's prefix by which its entries are parted, so that no part takes long to sort. */
const PART_DIGITS = 2;

/** What stands before an entry: the number of its run, how many characters its id has, and how many bytes its key. */
const HEADER_BYTES = 6;

/** No key is longer in LMDB. */
const MAX_KEY_BYTES = 1_978;

/** As many runs as the two bytes of their number tell apart. */
const MAX_RUNS = 65_536;

/**
 * Entries that are deleted together, up to a fixed number of bytes. They come in the order of the ids, and go in that of the owners, and then in that of
 * the ids. Packed they take a third of what the strings would.
 */
export class LmdbRound {
  readonly #packed: Buffer;
  #end = 0;
  /** Where the entries are, by the beginnings of their owners. */
  readonly #parts = new Map<string, number[]>();
  readonly #runs: Run[] = [];
  readonly #numbers = new Map<Run, number>();

  constructor(bytes: number) {
    this.#packed = Buffer.allocUnsafeSlow(bytes);
  }

  /** Whether another entry might not fit. */
  get isFull(): boolean {
    return this.#packed.length - this.#end < HEADER_BYTES + MAX_KEY_BYTES || this.#runs.length === MAX_RUNS;
  }

  add({ id, ownerKey, run }: TimeEntry): void {
    const at = this.#end;
    const bytes = this.#packed.write(ownerKey, at + HEADER_BYTES);
    this.#packed.writeUInt16LE(this.#numberOf(run), at);
    this.#packed.writeUInt16LE(id.length, at + 2);
    this.#packed.writeUInt16LE(bytes, at + 4);
    this.#end += HEADER_BYTES + bytes;
    const name = ownerKey.slice(0, PART_DIGITS);
    const part = this.#parts.get(name);
    if (part === undefined) this.#parts.set(name, [at]);
    else part.push(at);
  }

  *inOrderOfOwners(): Generator<TimeEntry> {
    for (const name of [...this.#parts.keys()].sort()) {
      const part = (this.#parts.get(name) ?? []).map((at) => this.#entryAt(at));
      yield* part.sort((a, b) => (a.ownerKey < b.ownerKey ? -1 : 1));
    }
  }

  *inOrderOfIds(): Generator<TimeEntry> {
    for (let at = 0; at < this.#end; at += HEADER_BYTES + this.#packed.readUInt16LE(at + 4)) yield this.#entryAt(at);
  }

  clear(): void {
    this.#end = 0;
    this.#parts.clear();
    this.#runs.length = 0;
    this.#numbers.clear();
  }

  #entryAt(at: number): TimeEntry {
    const start = at + HEADER_BYTES;
    const ownerKey = this.#packed.toString("utf8", start, start + this.#packed.readUInt16LE(at + 4));
    const run = this.#runs[this.#packed.readUInt16LE(at)];
    if (run === undefined) throw new Error(`There is no entry at ${at}.`);
    return { id: ownerKey.slice(-this.#packed.readUInt16LE(at + 2)), ownerKey, run };
  }

  #numberOf(run: Run): number {
    const known = this.#numbers.get(run);
    if (known !== undefined) return known;
    this.#numbers.set(run, this.#runs.length);
    return this.#runs.push(run) - 1;
  }
}
