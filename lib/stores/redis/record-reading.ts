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

const EVERY_MAP = Object.values(MAP).join("");

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
    for (const [field, value] of pairs(fields)) if (isOfMap(field)) readEntry(record, field, value);
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

function* pairs(fields: readonly Buffer[]): Generator<readonly [field: Buffer, value: Buffer]> {
  for (let at = 0; at < fields.length; at += 2) {
    const [field, value] = [fields[at], fields[at + 1]];
    if (field !== undefined && value !== undefined) yield [field, value];
  }
}

type Header = ReadonlyMap<string, Buffer>;

function headerOf(id: string, fields: readonly Buffer[]): Header {
  const header = new Map<string, Buffer>();
  for (const [field, value] of pairs(fields)) {
    if (field.length === 1 && !isOfMap(field)) header.set(field.toString("latin1"), value);
  }
  const format = number(header, FIELD.v);
  if (format > RECORD_VERSION) throw new NewerFormatError(id, format);
  return header;
}

function isOfMap(field: Buffer): boolean {
  return EVERY_MAP.includes(String.fromCharCode(field[0] ?? 0));
}

function readEntry(record: SessionRecord, field: Buffer, value: Buffer): void {
  const key = textOf(field, 1);
  switch (String.fromCharCode(field[0] ?? 0)) {
    case MAP.data:
      record.data[key] = encodedOf(value);
      break;
    case MAP.attributes:
      record.attributes[key] = attributeOf(value);
      break;
    case MAP.keys:
      record.keys[key] = keyOf(value);
      break;
    case MAP.pages:
      record.pages[key] = JSON.parse(value.toString()) as PageRecord;
      break;
    default:
      record.counters[key] = numberOf(value);
  }
}

function encodedOf(value: Buffer, from = 0): Encoded {
  switch (String.fromCharCode(value[from] ?? 0)) {
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
  const value = bytes === undefined || bytes.length === 0 ? NaN : Number(bytes.toString("latin1"));
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
