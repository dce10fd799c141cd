const FIRST_BYTES = 4_096;
const VARINT = 0;
const FIXED_64 = 1;
const LENGTH_DELIMITED = 2;

/** Writes a protobuf message (https://protobuf.dev/programming-guides/encoding), one field after the other. */
export class ProtobufWriter {
  #bytes = Buffer.allocUnsafe(FIRST_BYTES);
  #at = 0;

  /** What was written. The writer is done with then. */
  finish(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }

  /** Begins a message within this one; its fields follow, and then `end` with what this answers. */
  begin(field: number): number {
    this.#room(16);
    this.#tag(field, LENGTH_DELIMITED);
    // Room for the length of most; `end` makes more where it takes that.
    this.#at += 1;
    return this.#at;
  }

  end(start: number): void {
    const length = this.#at - start;
    if (length >= 128) {
      const more = Math.ceil((32 - Math.clz32(length)) / 7) - 1;
      this.#room(more);
      this.#bytes.copyWithin(start + more, start, this.#at);
      this.#at += more;
    }
    const end = this.#at;
    this.#at = start - 1;
    this.#varint(length);
    this.#at = end;
  }

  text(field: number, text: string): void {
    const start = this.begin(field);
    this.#room(text.length * 3);
    this.#at += this.#bytes.write(text, this.#at, "utf8");
    this.end(start);
  }

  bytes(field: number, bytes: Uint8Array): void {
    const start = this.begin(field);
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
    this.end(start);
  }

  /** Also an enum; from 0 to 2³² - 1. */
  uint32(field: number, value: number): void {
    this.#room(16);
    this.#tag(field, VARINT);
    this.#varint(value);
  }

  boolean(field: number, value: boolean): void {
    this.uint32(field, value ? 1 : 0);
  }

  /** A number must be a safe integer. */
  int64(field: number, value: number | string): void {
    this.#room(16);
    this.#tag(field, VARINT);
    if (typeof value === "number" && value >= 0) this.#varint(value);
    else this.#bigVarint(BigInt.asUintN(64, BigInt(value)));
  }

  double(field: number, value: number): void {
    this.#room(16);
    this.#tag(field, FIXED_64);
    this.#at = this.#bytes.writeDoubleLE(value, this.#at);
  }

  #tag(field: number, wireType: number): void {
    this.#varint(field * 8 + wireType);
  }

  #varint(value: number): void {
    let rest = value;
    for (; rest >= 128; rest = Math.floor(rest / 128)) this.#bytes[this.#at++] = (rest % 128) | 128;
    this.#bytes[this.#at++] = rest;
  }

  #bigVarint(value: bigint): void {
    let rest = value;
    for (; rest >= 128n; rest >>= 7n) this.#bytes[this.#at++] = Number(rest & 127n) | 128;
    this.#bytes[this.#at++] = Number(rest);
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(2 * (this.#at + bytes));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }
}
