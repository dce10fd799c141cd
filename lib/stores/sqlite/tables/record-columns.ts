import { crc32 } from "node:zlib";
import { SessionError } from "../../../errors";
import { dictionary, NewerFormatError, RECORD_VERSION } from "../../../record/session-record";
import type { Encoded, SessionRecord } from "../../../record/session-record";
import type { FindQuery } from "../../store";
import type { Row, Value } from "../file/driver";

/** The columns of a live session with what apps and their users put there, and the checksum. */
export interface ContentColumns {
  readonly layout: Value;
  readonly data: Value;
  readonly clones: Uint8Array | null;
  readonly attributes: Value;
  readonly keys: Value;
  readonly pages: Value;
  readonly counters: Value;
  readonly checksum: number;
}

/**
 * The data are one JSON text, with a member for each value that is JSON, so that SQLite's JSON functions can look into
 * them. `layout` lists the key, the offset and the length of each, so that reading a record parses no value. Clones lie
 * one after the other in a BLOB; their lengths are told as -1 for 0, -2 for 1, and so on.
 */
export function contentColumns(record: SessionRecord): ContentColumns {
  const { data } = record;
  const layout: (string | number)[] = [];
  const clones: Uint8Array[] = [];
  let text = "{";
  let clonesEnd = 0;
  for (const [key, value] of Object.entries(data)) {
    if (typeof value === "string") {
      text += `${text.length === 1 ? "" : ","}${JSON.stringify(key)}:`;
      layout.push(key, text.length, value.length);
      text += value;
    } else {
      layout.push(key, clonesEnd, -1 - value.length);
      clones.push(value);
      clonesEnd += value.length;
    }
  }
  const columns = {
    layout: textColumn(JSON.stringify(layout)),
    data: textColumn(`${text}}`),
    clones: clonesEnd === 0 ? null : Buffer.concat(clones),
    attributes: mapColumn(record.attributes),
    keys: mapColumn(record.keys),
    pages: mapColumn(record.pages),
    counters: mapColumn(record.counters),
  };
  return { ...columns, checksum: checksum(record, columns) };
}

/** The columns that the header of a live session is read from. */
export const HEADER_COLUMNS = [
  ...["id", "format", "owner", "project", "scope", "created_at", "last_seen_at", "idle_ms", "ends_at", "expires_at"],
  ...["purge_at", "remote_address", "user_agent", "pages", "counters"],
];

/**
 * Reads a live session; or its header alone, without the checksum, which covers all columns. Throws
 * `SESSION_UNREADABLE` where it is damaged, or of a newer format.
 */
export function sessionRecordOf(row: Row, fields?: FindQuery["fields"]): SessionRecord {
  const isWhole = fields === undefined;
  const id = String(row.id);
  if (Number(row.format) > RECORD_VERSION) throw new NewerFormatError(id, Number(row.format));
  try {
    const record: SessionRecord = {
      v: RECORD_VERSION,
      id,
      owner: textOf(row.owner),
      project: textOf(row.project),
      scope: textOf(row.scope),
      createdAt: Number(row.created_at),
      lastSeenAt: Number(row.last_seen_at),
      idleMs: Number(row.idle_ms),
      endsAt: Number(row.ends_at),
      expiresAt: Number(row.expires_at),
      purgeAt: Number(row.purge_at),
      remoteAddress: textOf(row.remote_address),
      userAgent: textOf(row.user_agent),
      data: isWhole ? dataOf(row) : dictionary(),
      attributes: isWhole ? mapOf(row.attributes) : dictionary(),
      keys: isWhole ? mapOf(row.keys) : dictionary(),
      pages: mapOf(row.pages),
      counters: mapOf(row.counters),
    };
    if (!isWhole || checksum(record, row as unknown as ContentColumns) === row.checksum) return record;
  } catch (cause) {
    throw damaged(id, cause);
  }
  throw damaged(id);
}

/**
 * A text as SQLite keeps it: UTF-8, or where that can't hold it (lone surrogates, or NUL, at which some drivers stop
 * reading) a BLOB of UTF-16.
 */
export function textColumn(text: string): string | Uint8Array {
  return text.isWellFormed() && !text.includes("\0") ? text : Buffer.from(text, "utf16le");
}

export function textOf(value: Value | undefined): string {
  if (typeof value === "string") return value;
  if (ArrayBuffer.isView(value)) return bufferOf(value).toString("utf16le");
  throw new TypeError("not a text");
}

function dataOf(row: Row): Record<string, Encoded> {
  const data = dictionary<Encoded>();
  const text = textOf(row.data);
  const clones = (row.clones ?? new Uint8Array()) as Uint8Array;
  const layout = JSON.parse(textOf(row.layout)) as (string | number)[];
  for (let at = 0; at < layout.length; at += 3) {
    const [start, length] = [layout[at + 1] as number, layout[at + 2] as number];
    data[layout[at] as string] =
      length < 0 ? clones.slice(start, start - 1 - length) : text.slice(start, start + length);
  }
  return data;
}

/** JSON with two conventions: Infinity is null, and bytes are `{ "base64": … }`. An empty map is NULL. */
function mapColumn(map: Readonly<Record<string, unknown>>): Value {
  for (const _ in map) return textColumn(JSON.stringify(map, bytesAsBase64));
  return null;
}

function bytesAsBase64(this: Record<string, unknown>, name: string, value: unknown): unknown {
  // `value` is no Buffer any more where there was one, because of its toJSON.
  const bytes = this[name];
  return ArrayBuffer.isView(bytes) ? { base64: bufferOf(bytes).toString("base64") } : value;
}

function mapOf<T>(column: Value | undefined): Record<string, T> {
  const map = dictionary<T>();
  if (column === null) return map;
  const stored = JSON.parse(textOf(column), (_name, value: unknown) =>
    value === null ? Infinity : isBase64(value) ? new Uint8Array(Buffer.from(value.base64, "base64")) : value,
  ) as Record<string, T>;
  for (const key of Object.keys(stored)) map[key] = stored[key] as T;
  return map;
}

function isBase64(value: unknown): value is { base64: string } {
  return typeof value === "object" && value !== null && "base64" in value && typeof value.base64 === "string";
}

/** The checksum of all that is stored: SQLite itself doesn't notice a value that the disk has changed. */
function checksum(record: SessionRecord, columns: Omit<ContentColumns, "checksum">): number {
  const { id, owner, project, scope, createdAt, lastSeenAt, idleMs, endsAt, expiresAt, purgeAt } = record;
  const { layout, data, clones, attributes, keys, pages, counters } = columns;
  const times = `${createdAt} ${lastSeenAt} ${idleMs} ${endsAt} ${expiresAt} ${purgeAt}`;
  let text = `${id}\n${owner}\n${project}\n${scope}\n${times}\n${record.remoteAddress}\n${record.userAgent}`;
  let sum = 0;
  for (const part of [layout, data, clones, attributes, keys, pages, counters]) {
    if (ArrayBuffer.isView(part)) sum = crc32(part, sum);
    else if (part !== null) text += `\n${part}`;
  }
  // UTF-8 has the same code for all lone surrogates.
  return crc32(text.isWellFormed() ? text : JSON.stringify(text), sum);
}

function bufferOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

export function damaged(id: string, cause?: unknown): SessionError {
  return new SessionError(
    "SESSION_UNREADABLE",
    `What is stored of the session ${id} is damaged; see npx coatcheck doctor.`,
    cause === undefined ? {} : { cause },
  );
}
