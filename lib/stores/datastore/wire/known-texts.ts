/** What is made of longer texts is not kept. */
const MOST_BYTES = 64;
/** A power of two. */
const SLOTS = 1_024;

interface Known<T> {
  readonly bytes: Buffer;
  readonly made: T;
}

/** Texts that come again and again in what is read, such as the names of properties: what they stand for is made once, and not every time. */
export class KnownTexts<T> {
  readonly #slots: (Known<T> | undefined)[] = Array.from({ length: SLOTS });
  readonly #make: (text: string) => T;

  constructor(make: (text: string) => T) {
    this.#make = make;
  }

  /** What the text of these UTF-8 bytes stands for. */
  of(bytes: Buffer, start: number, end: number): T {
    if (end - start > MOST_BYTES) return this.#make(bytes.toString("utf8", start, end));
    let hash = 0;
    for (let at = start; at < end; at += 1) hash = (hash * 31 + (bytes[at] ?? 0)) | 0;
    const slot = (hash ^ (hash >>> 10)) & (SLOTS - 1);
    const known = this.#slots[slot];
    if (known !== undefined && isSame(known.bytes, bytes, start, end)) return known.made;
    const made = this.#make(bytes.toString("utf8", start, end));
    this.#slots[slot] = { bytes: Buffer.from(bytes.subarray(start, end)), made };
    return made;
  }
}

function isSame(known: Buffer, bytes: Buffer, start: number, end: number): boolean {
  if (known.length !== end - start) return false;
  for (let at = 0; at < known.length; at += 1) if (known[at] !== bytes[start + at]) return false;
  return true;
}
