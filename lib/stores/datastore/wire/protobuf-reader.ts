/** Reads the parts of a protobuf message (https://protobuf.dev/programming-guides/encoding), one after the other. */
export class ProtobufReader {
  readonly #bytes: Buffer;
  /** Where the next part begins. */
  at: number;

  constructor(bytes: Buffer, at = 0) {
    this.#bytes = bytes;
    this.at = at;
  }

  /** Reads a length, and returns where what follows ends. */
  end(): number {
    const length = this.uint32();
    return this.#past(length);
  }

  /** Also reads a tag: the number of a field, times eight, plus its wire type. */
  uint32(): number {
    let value = this.#byte();
    if (value < 128) return value;
    value &= 127;
    for (let shift = 7; ; shift += 7) {
      const byte = this.#byte();
      if (shift < 32) value |= (byte & 127) << shift;
      if (byte < 128) return value >>> 0;
    }
  }

  /** As a string where a number can't say it exactly. */
  int64(): number | string {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < 7; count += 1) {
      const byte = this.#byte();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
    let exact = BigInt(value);
    for (let shift = 49n; ; shift += 7n) {
      const byte = this.#byte();
      exact |= BigInt(byte & 127) << shift;
      if (byte < 128) return numberOrText(BigInt.asIntN(64, exact));
    }
  }

  double(): number {
    const start = this.at;
    this.at = this.#past(8);
    return this.#bytes.readDoubleLE(start);
  }

  text(): string {
    const end = this.end();
    const text = this.#bytes.toString("utf8", this.at, end);
    this.at = end;
    return text;
  }

  /** What a frequent text stands for. */
  known<T>(texts: KnownTexts<T>): T {
    const end = this.end();
    const made = texts.of(this.#bytes, this.at, end);
    this.at = end;
    return made;
  }

  /** The bytes are in the memory of the message. */
  bytes(): Buffer {
    const end = this.end();
    const bytes = this.#bytes.subarray(this.at, end);
    this.at = end;
    return bytes;
  }

  /** Passes over the value that belongs to a tag. */
  skip(tag: number): void {
    const wireType = tag & 7;
    if (wireType === 0) this.int64();
    else if (wireType === 1) this.at = this.#past(8);
    else if (wireType === 2) this.at = this.end();
    else if (wireType === 5) this.at = this.#past(4);
    else throw new RangeError(`A protobuf message has a field of the unknown wire type ${wireType}.`);
  }

  #byte(): number {
    const byte = this.#bytes[this.at];
    if (byte === undefined) throw tooShort();
    this.at += 1;
    return byte;
  }

  /** Where this many bytes end. */
  #past(length: number): number {
    const end = this.at + length;
    if (end > this.#bytes.length) throw tooShort();
    return end;
  }
}

function tooShort(): RangeError {
  return new RangeError("A protobuf message ends too early.");
}

function numberOrText(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value.toString();
}

/** Longer texts are not remembered. */
const MOST_BYTES = 64;
/** A power of two. */
const SLOTS = 1_024;

interface Known<T> {
  readonly bytes: Buffer;
  readonly made: T;
}

/**
 * Remembers what frequent texts stand for, such as the names of properties, so that it is made once and not each time.
 */
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
