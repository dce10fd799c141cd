/** Enough of an id, which is a SHA-256 as base64url, to tell it from all others: 72 bits. */
const BYTES_OF_ID = 12;
const IDS_IN_CHUNK = 10_000;

/** The ids that a pass has seen live in both stores, in their order, at 12 bytes each. */
export class KnownIds {
  readonly #chunks: Buffer[] = [];
  #size = 0;
  #at = 0;

  /** Ids come in the order of their bytes. */
  add(id: string): void {
    const at = this.#size % IDS_IN_CHUNK;
    if (at === 0) this.#chunks.push(Buffer.alloc(IDS_IN_CHUNK * BYTES_OF_ID));
    this.#chunks.at(-1)?.write(id, at * BYTES_OF_ID, BYTES_OF_ID, "latin1");
    this.#size += 1;
  }

  /** Whether this id was added. It is asked for one id after the other, in their order. */
  has(id: string): boolean {
    const wanted = id.slice(0, BYTES_OF_ID);
    while (this.#at < this.#size && this.#id(this.#at) < wanted) this.#at += 1;
    return this.#at < this.#size && this.#id(this.#at) === wanted;
  }

  #id(index: number): string {
    const from = (index % IDS_IN_CHUNK) * BYTES_OF_ID;
    return this.#chunks[Math.floor(index / IDS_IN_CHUNK)]?.toString("latin1", from, from + BYTES_OF_ID) ?? "";
  }
}
