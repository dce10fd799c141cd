import { isUnreadable, SessionError } from "../../errors";
import { dictionary, NewerFormatError, RECORD_VERSION } from "../../record/session-record";
import type {
  AttributeRecord,
  Encoded,
  EndedRecord,
  EndReason,
  PageRecord,
  SecurityKeyRecord,
  SessionRecord,
} from "../../record/session-record";
import { BYTES, FIELD, MAP, TEXT } from "./record-fields";
import { textOf } from "./redis-keys";

const FIRST_LETTER = "a".charCodeAt(0);
/** So many digits are always a safe integer. */
const SAFE_DIGITS = 15;

/** A live record, and what tells whether it was written since. */
export interface Versioned {
  readonly record: SessionRecord;
  readonly version: string;
}

/**
 * Reads what Redis returned for the hash of a live record; undefined where there is none. Throws `SESSION_UNREADABLE`
 * where it is damaged or of a newer format.
 */
export function readLive(id: string, reply: unknown): Versioned | undefined {
  const fields = fieldsOf(reply);
  if (fields.length === 0) return undefined;
  return readable(id, () => {
    const header = headerOf(id, fields);
    const record: SessionRecord = {
      v: RECORD_VERSION,
      id,
      owner: text(header, FIELD.owner),
      project: text(header, FIELD.project),
      scope: text(header, FIELD.scope),
      createdAt: number(header, FIELD.createdAt),
      lastSeenAt: number(header, FIELD.lastSeenAt),
      idleMs: number(header, FIELD.idleMs),
      endsAt: number(header, FIELD.endsAt),
      expiresAt: number(header, FIELD.expiresAt),
      purgeAt: number(header, FIELD.purgeAt),
      remoteAddress: text(header, FIELD.remoteAddress),
      userAgent: text(header, FIELD.userAgent),
      data: dictionary(),
      attributes: dictionary(),
      keys: dictionary(),
      pages: dictionary(),
      counters: dictionary(),
    };
    for (let at = 0; at < fields.length; at += 2) readEntry(record, fields[at], fields[at + 1]);
    return { record, version: (header.get(FIELD.version) ?? header.get(FIELD.birth) ?? "").toString() };
  });
}

/** The same for that of an ended record. */
export function readEnded(id: string, reply: unknown): EndedRecord | undefined {
  const fields = fieldsOf(reply);
  if (fields.length === 0) return undefined;
  return readable(id, () => {
    const header = headerOf(id, fields);
    const bytesSent = header.has(FIELD.bytesSent) ? number(header, FIELD.bytesSent) : 0;
    return {
      v: RECORD_VERSION,
      id,
      owner: text(header, FIELD.owner),
      project: text(header, FIELD.project),
      scope: text(header, FIELD.scope),
      createdAt: number(header, FIELD.createdAt),
      lastSeenAt: number(header, FIELD.lastSeenAt),
      remoteAddress: text(header, FIELD.remoteAddress),
      userAgent: text(header, FIELD.userAgent),
      endedAt: number(header, FIELD.endedAt),
      reason: text(header, FIELD.reason) as EndReason,
      endedBy: header.has(FIELD.endedBy) ? text(header, FIELD.endedBy) : null,
      purgeAt: number(header, FIELD.purgeAt),
      ...(header.has(FIELD.message) ? { message: text(header, FIELD.message) } : undefined),
      ...(bytesSent > 0 ? { bytesSent } : undefined),
    };
  });
}

/** The owner in such a reply; empty where that can't be read. */
export function ownerIn(reply: unknown): string {
  const fields = fieldsOf(reply);
  const at = fields.findIndex((field, index) => index % 2 === 0 && field.toString() === FIELD.owner);
  const owner = at === -1 ? undefined : fields[at + 1];
  return owner === undefined ? "" : textOf(owner);
}

/** The fields and values in a row, as the clients return them for `HGETALL` by either protocol. */
function fieldsOf(reply: unknown): readonly Buffer[] {
  if (Array.isArray(reply)) return reply as Buffer[];
  return reply instanceof Map ? ([...reply].flat() as Buffer[]) : [];
}

/** What the fields of the header hold, each at the place of its letter in the alphabet. A Map would take twice as long. */
class Header {
  readonly #values = new Array<Buffer | undefined>(26);

  set(field: Buffer, value: Buffer): void {
    const place = (field[0] ?? 0) - FIRST_LETTER;
    if (place >= 0 && place < this.#values.length) this.#values[place] = value;
  }

  get(field: string): Buffer | undefined {
    return this.#values[field.charCodeAt(0) - FIRST_LETTER];
  }

  has(field: string): boolean {
    return this.get(field) !== undefined;
  }
}

function headerOf(id: string, fields: readonly Buffer[]): Header {
  const header = new Header();
  for (let at = 0; at < fields.length; at += 2) {
    const [field, value] = [fields[at], fields[at + 1]];
    if (field?.length === 1 && value !== undefined) header.set(field, value);
  }
  const format = number(header, FIELD.v);
  if (format > RECORD_VERSION) throw new NewerFormatError(id, format);
  return header;
}

function letterOf(bytes: Buffer, at = 0): string {
  return String.fromCharCode(bytes[at] ?? 0);
}

/** Nothing where the field is one of the header. */
function readEntry(record: SessionRecord, field: Buffer | undefined, value: Buffer | undefined): void {
  if (field === undefined || value === undefined) return;
  switch (letterOf(field)) {
    case MAP.data:
      record.data[textOf(field, 1)] = encodedOf(value);
      break;
    case MAP.attributes:
      record.attributes[textOf(field, 1)] = attributeOf(value);
      break;
    case MAP.keys:
      record.keys[textOf(field, 1)] = keyOf(value);
      break;
    case MAP.pages:
      record.pages[textOf(field, 1)] = JSON.parse(value.toString()) as PageRecord;
      break;
    case MAP.counters:
      record.counters[textOf(field, 1)] = numberOf(value);
      break;
  }
}

function encodedOf(value: Buffer, from = 0): Encoded {
  switch (letterOf(value, from)) {
    case TEXT:
      return textOf(value, from + 1);
    case BYTES:
      // A copy: what the client returned is part of a larger piece of memory.
      return new Uint8Array(value.subarray(from + 1));
    default:
      throw new TypeError("not a value");
  }
}

function linedOf(bytes: Buffer, count: number): { readonly numbers: number[]; readonly value: Encoded } {
  const end = bytes.indexOf("\n");
  const numbers = bytes.toString("latin1", 0, end).split(" ").map(Number);
  if (end === -1 || numbers.length !== count || numbers.some(Number.isNaN)) throw new TypeError("not an entry");
  return { numbers, value: encodedOf(bytes, end + 1) };
}

function attributeOf(bytes: Buffer): AttributeRecord {
  const { numbers, value } = linedOf(bytes, 4);
  const [encrypted, createdAt = 0, modifiedAt = 0, expiresAt = 0] = numbers;
  return { value, encrypted: encrypted === 1, createdAt, modifiedAt, expiresAt };
}

function keyOf(bytes: Buffer): SecurityKeyRecord {
  const { numbers, value } = linedOf(bytes, 2);
  const [createdAt = 0, expiresAt = 0] = numbers;
  return { payload: value, createdAt, expiresAt };
}

function text(header: Header, field: string): string {
  const bytes = header.get(field);
  if (bytes === undefined) throw new TypeError("not there");
  return textOf(bytes);
}

function number(header: Header, field: string): number {
  return numberOf(header.get(field));
}

function numberOf(bytes: Buffer | undefined): number {
  if (bytes === undefined || bytes.length === 0) throw new TypeError("not a number");
  return digitsOf(bytes) ?? otherNumberOf(bytes);
}

/** The number that these digits are; undefined for anything else. */
function digitsOf(bytes: Buffer): number | undefined {
  if (bytes.length > SAFE_DIGITS) return undefined;
  let value = 0;
  for (const byte of bytes) {
    if (byte < 0x30 || byte > 0x39) return undefined;
    value = value * 10 + byte - 0x30;
  }
  return value;
}

function otherNumberOf(bytes: Buffer): number {
  const value = Number(bytes.toString("latin1"));
  if (Number.isNaN(value)) throw new TypeError("not a number");
  return value;
}

function readable<T>(id: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (isUnreadable(cause)) throw cause;
    // Its cause could hold what is stored.
    throw new SessionError("SESSION_UNREADABLE", `What is stored of the session ${id} is damaged.`);
  }
}
