import type { KnownTexts } from "./known-texts";

/** Reads the parts of a protobuf message (https://protobuf.dev/programming-guides/encoding), one after the other. */
export class ProtobufReader {
  readonly #bytes: Buffer;
  /** Where the next part begins. */
  at: number;

  constructor(bytes: Buffer, at = 0) {
    this.#bytes = bytes;
    this.at = at;
  }

  /** Reads a length, and answers where what has it ends. */
  end(): number {
    const length = this.uint32();
    return this.#past(length);
  }

  /** Also a tag: the number of a field, times eight, and its wire type. */
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

  /** What a text stands for that comes again and again. */
  known<T>(texts: KnownTexts<T>): T {
    const end = this.end();
    const made = texts.of(this.#bytes, this.at, end);
    this.at = end;
    return made;
  }

  /** In the memory of the message. */
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

  /** Where so many bytes end. */
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
