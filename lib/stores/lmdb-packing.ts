import { crc32 } from "node:zlib";
import { SessionError } from "../errors";
import { RECORD_VERSION } from "../record/session-record";
import type { Encoded } from "../record/session-record";

/*
 * A packed record, little-endian:
 *
 *   0  u8 format, u8 kind, u16 zero
 *   4  u32 each: how many numbers, bytes of the sizes, wide characters, Latin-1 characters, bytes
 *  24  the numbers (f64), the sizes (7 bits to a byte, the lowest first), the wide text (UTF-16), the Latin-1 text, the bytes
 * end  u32 CRC-32 of all before it; every format to come begins with its number and ends with the sum
 *
 * Strings of one width lie together, so that reading a record makes one string of each width and cuts it up. Both widths
 * keep every UTF-16 code unit, lone surrogates too, which UTF-8 would not. The sum tells a damaged record from a sound one.
 */
const HEADER_BYTES = 24;
const SUM_BYTES = 4;
const LATIN1 = 0;
const WIDE = 1;
const BYTES = 2;
const NOT_LATIN1 = /[\u0100-\uffff]/;

/** From so many characters on a string is written on its own: to join it with others V8 would copy it once more. */
const LONG_TEXT = 256;

/**
 * Records lie next to each other in larger pieces of memory. Each piece costs V8 an object that it has to look after, and lmdb a call for its address.
 */
const PIECE_BYTES = 65_536;

/** Room for the numbers and for the sizes of a record, at first. */
const FIELDS_BYTES = 1024;

/** The longest size: 31 bits, 7 to a byte. */
const SIZE_BYTES = 5;

/**
 * Collects the fields of one record after the other, each record in the order in which `Unpacker` is asked for its fields. What it needs for that it uses
 * again for the next record, so that one has to be packed before the next begins.
 */
export class Packer {
  #numbers: Buffer = Buffer.alloc(FIELDS_BYTES);
  #numbersEnd = 0;
  #sizes: Buffer = Buffer.alloc(FIELDS_BYTES);
  #sizesEnd = 0;
  readonly #bytes: Uint8Array[] = [];
  #byteCount = 0;
  #wide = "";
  readonly #latin1: string[] = [];
  #latin1Rest = "";
  #latin1Count = 0;
  #piece = Buffer.alloc(0);
  #pieceUsed = 0;

  /** Begins a record, and forgets what was collected of another. */
  start(): void {
    this.#numbersEnd = 0;
    this.#sizesEnd = 0;
    this.#bytes.length = 0;
    this.#byteCount = 0;
    this.#wide = "";
    this.#latin1.length = 0;
    this.#latin1Rest = "";
    this.#latin1Count = 0;
  }

  number(value: number): void {
    if (this.#numbersEnd === this.#numbers.length) this.#numbers = twiceAsLong(this.#numbers);
    this.#numbersEnd = this.#numbers.writeDoubleLE(value, this.#numbersEnd);
  }

  /** A whole number from 0 to 2^31 - 1: a count or a flag. */
  size(value: number): void {
    if (this.#sizesEnd + SIZE_BYTES > this.#sizes.length) this.#sizes = twiceAsLong(this.#sizes);
    let rest = value;
    while (rest > 127) {
      this.#sizes[this.#sizesEnd++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    this.#sizes[this.#sizesEnd++] = rest;
  }

  encoded(value: Encoded): void {
    if (typeof value !== "string") {
      this.size((value.length << 2) | BYTES);
      this.#bytes.push(value);
      this.#byteCount += value.length;
    } else if (NOT_LATIN1.test(value)) {
      this.size((value.length << 2) | WIDE);
      this.#wide += value;
    } else {
      this.size((value.length << 2) | LATIN1);
      this.#latin1Count += value.length;
      if (value.length < LONG_TEXT) {
        this.#latin1Rest += value;
      } else {
        this.#latin1.push(this.#latin1Rest, value);
        this.#latin1Rest = "";
      }
    }
  }

  /** The record that was collected, which is forgotten. */
  pack(kind: number): Buffer {
    const sizesAt = HEADER_BYTES + this.#numbersEnd;
    const wideAt = sizesAt + this.#sizesEnd;
    const latin1At = wideAt + this.#wide.length * 2;
    const bytesAt = latin1At + this.#latin1Count;
    const sumAt = bytesAt + this.#byteCount;

    const packed = this.#memory(sumAt + SUM_BYTES);
    packed.writeUInt32LE(RECORD_VERSION | (kind << 8), 0);
    packed.writeUInt32LE(this.#numbersEnd / 8, 4);
    packed.writeUInt32LE(this.#sizesEnd, 8);
    packed.writeUInt32LE(this.#wide.length, 12);
    packed.writeUInt32LE(this.#latin1Count, 16);
    packed.writeUInt32LE(this.#byteCount, 20);
    this.#numbers.copy(packed, HEADER_BYTES, 0, this.#numbersEnd);
    this.#sizes.copy(packed, sizesAt, 0, this.#sizesEnd);
    if (this.#wide !== "") packed.write(this.#wide, wideAt, "utf16le");
    let at = latin1At;
    for (const text of this.#latin1) at += packed.write(text, at, "latin1");
    packed.write(this.#latin1Rest, at, "latin1");
    at = bytesAt;
    for (const bytes of this.#bytes) {
      packed.set(bytes, at);
      at += bytes.length;
    }
    packed.writeUInt32LE(crc32(packed.subarray(0, sumAt)), sumAt);
    this.start();
    return packed;
  }

  #memory(bytes: number): Buffer {
    if (bytes > PIECE_BYTES / 4) return Buffer.allocUnsafeSlow(bytes);
    if (this.#pieceUsed + bytes > this.#piece.length) {
      this.#piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
      this.#pieceUsed = 0;
    }
    return this.#piece.subarray(this.#pieceUsed, (this.#pieceUsed += bytes));
  }
}

function twiceAsLong(buffer: Buffer): Buffer {
  return Buffer.concat([buffer, buffer]);
}

/** The first number of a packed record, unchecked; NaN where the bytes are too few. */
export function firstNumber({ buffer, byteOffset, length }: Uint8Array): number {
  return length < HEADER_BYTES + 8 ? NaN : new DataView(buffer, byteOffset).getFloat64(HEADER_BYTES, true);
}

/** Reads back what `Packer` wrote. All that it answers is copied: the memory that it reads may be used again afterwards. */
export class Unpacker {
  readonly #packed: Buffer;
  readonly #view: DataView;
  readonly #wide: string;
  readonly #latin1: string;
  #numberAt = HEADER_BYTES;
  #sizeAt: number;
  #wideAt = 0;
  #latin1At = 0;
  #byteAt: number;

  /** Throws `SESSION_UNREADABLE` where the bytes are not a sound record of this kind; `id` is for the message. */
  constructor(kind: number, id: string, source: Uint8Array) {
    const size = source.length;
    if (size < HEADER_BYTES + SUM_BYTES) throw damaged(id);
    const sumAt = size - SUM_BYTES;
    const packed = Buffer.from(source.buffer, source.byteOffset, sumAt);
    const view = new DataView(source.buffer, source.byteOffset, size);
    if (view.getUint32(sumAt, true) !== crc32(packed)) throw damaged(id);
    const format = view.getUint8(0);
    if (format > RECORD_VERSION) throw newerFormat(id, format);
    if (format !== RECORD_VERSION || view.getUint8(1) !== kind) throw damaged(id);
    this.#packed = packed;
    this.#view = view;
    this.#sizeAt = HEADER_BYTES + view.getUint32(4, true) * 8;
    const wideAt = this.#sizeAt + view.getUint32(8, true);
    const latin1At = wideAt + view.getUint32(12, true) * 2;
    this.#byteAt = latin1At + view.getUint32(16, true);
    this.#wide = wideAt === latin1At ? "" : packed.toString("utf16le", wideAt, latin1At);
    this.#latin1 = packed.toString("latin1", latin1At, this.#byteAt);
  }

  number(): number {
    const value = this.#view.getFloat64(this.#numberAt, true);
    this.#numberAt += 8;
    return value;
  }

  size(): number {
    let byte = this.#view.getUint8(this.#sizeAt++);
    let value = byte & 127;
    for (let shift = 7; byte > 127; shift += 7) {
      byte = this.#view.getUint8(this.#sizeAt++);
      value |= (byte & 127) << shift;
    }
    return value;
  }

  /** A value that was packed as a string. */
  text(): string {
    return this.#text(this.size());
  }

  encoded(): Encoded {
    const tagged = this.size();
    if ((tagged & 3) !== BYTES) return this.#text(tagged);
    return new Uint8Array(this.#packed.subarray(this.#byteAt, (this.#byteAt += tagged >>> 2)));
  }

  #text(tagged: number): string {
    const length = tagged >>> 2;
    if ((tagged & 3) === WIDE) return this.#wide.substring(this.#wideAt, (this.#wideAt += length));
    return this.#latin1.substring(this.#latin1At, (this.#latin1At += length));
  }
}

function damaged(id: string): SessionError {
  return new SessionError(
    "SESSION_UNREADABLE",
    `What is stored of the session ${id} is damaged; restore the session folder from a backup, or delete it.`,
  );
}

function newerFormat(id: string, format: number): SessionError {
  return new SessionError(
    "SESSION_UNREADABLE",
    `The session ${id} is stored in format ${format}, and this version of coatcheck reads ${RECORD_VERSION}; upgrade coatcheck.`,
  );
}
