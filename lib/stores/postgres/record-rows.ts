import { SessionError } from "../../errors";
import type { MapDelta, SessionDelta } from "../../record/session-delta";
import { dictionary, NewerFormatError, RECORD_VERSION } from "../../record/session-record";
import type { Encoded, EndedRecord, Ending, EndReason, SessionRecord } from "../../record/session-record";

/** A row as PostgreSQL sends it: each column as text, or null. */
export type Row = readonly (string | null)[];

/** The columns of a live session, in the order in which they are read: first what a header is read from. */
export const HEADER_COLUMNS = [
  ...["id", "format", "owner", "project", "scope", "created_at", "last_seen_at", "idle_ms", "ends_at", "expires_at"],
  ...["purge_at", "remote_address", "user_agent", "pages", "counters"],
];
export const LIVE_COLUMNS = [...HEADER_COLUMNS, "data", "attributes", "keys", "version"];

/** The columns of an ended session: what it keeps of the live one, and the ending. */
export const KEPT_COLUMNS = [
  ...["id", "format", "owner", "project", "scope", "created_at", "last_seen_at", "remote_address", "user_agent"],
];
export const ENDING_COLUMNS = ["ended_at", "reason", "ended_by", "message", "purge_at"];
export const ENDED_COLUMNS = [...KEPT_COLUMNS, ...ENDING_COLUMNS, "bytes_sent"];

/** A live record, and the number of its last change. */
export interface StoredRecord {
  readonly record: SessionRecord;
  readonly version: string;
}

/**
 * Reads a row of `LIVE_COLUMNS`, or of `HEADER_COLUMNS` alone. Throws `SESSION_UNREADABLE` where it is damaged, or of a
 * newer format.
 */
export function storedRecordOf(row: Row): StoredRecord {
  const [id, format, owner, project, scope, createdAt, lastSeenAt, idleMs, endsAt, expiresAt, ...others] = row;
  const [purgeAt, remoteAddress, userAgent, pages, counters, data, attributes, keys, version] = others;
  assertFormat(id, format);
  try {
    const record: SessionRecord = {
      v: RECORD_VERSION,
      id: textOf(id),
      owner: textOf(owner),
      project: textOf(project),
      scope: textOf(scope),
      createdAt: numberOf(createdAt),
      lastSeenAt: numberOf(lastSeenAt),
      idleMs: numberOf(idleMs),
      endsAt: numberOf(endsAt),
      expiresAt: numberOf(expiresAt),
      purgeAt: numberOf(purgeAt),
      remoteAddress: textOf(remoteAddress),
      userAgent: textOf(userAgent),
      data: mapOf(data, encodedOf),
      attributes: mapOf(attributes, objectOf) as SessionRecord["attributes"],
      keys: mapOf(keys, objectOf) as SessionRecord["keys"],
      pages: mapOf(pages, objectOf) as SessionRecord["pages"],
      counters: mapOf(counters, counterOf),
    };
    return { record, version: version ?? "" };
  } catch (cause) {
    throw damaged(id, cause);
  }
}

/** Reads a row of `ENDED_COLUMNS`. Throws `SESSION_UNREADABLE`. */
export function endedRecordOf(row: Row): EndedRecord {
  const [id, format, owner, project, scope, createdAt, lastSeenAt, remoteAddress, userAgent, ...ending] = row;
  const [endedAt, reason, endedBy, message, purgeAt, bytesSent] = ending;
  assertFormat(id, format);
  try {
    return {
      v: RECORD_VERSION,
      id: textOf(id),
      owner: textOf(owner),
      project: textOf(project),
      scope: textOf(scope),
      createdAt: numberOf(createdAt),
      lastSeenAt: numberOf(lastSeenAt),
      remoteAddress: textOf(remoteAddress),
      userAgent: textOf(userAgent),
      endedAt: numberOf(endedAt),
      reason: textOf(reason) as EndReason,
      endedBy: endedBy === null ? null : textOf(endedBy),
      purgeAt: numberOf(purgeAt),
      ...(message === null ? undefined : { message: textOf(message) }),
      ...(bytesSent === null || bytesSent === "0" ? undefined : { bytesSent: numberOf(bytesSent) }),
    };
  } catch (cause) {
    throw damaged(id, cause);
  }
}

/** The columns that a live session is inserted with, and the type of each. */
export const INSERTED_COLUMNS: readonly (readonly [name: string, type: string])[] = [
  ...each("text", "id", "owner", "project", "scope", "remote_address", "user_agent"),
  ...each("smallint", "format"),
  ...each("float8", "created_at", "last_seen_at", "idle_ms", "ends_at", "expires_at", "purge_at"),
  ...each("jsonb", "data", "attributes", "keys", "pages", "counters"),
];

/** The values of `INSERTED_COLUMNS`. */
export function insertedValues(record: SessionRecord): unknown[] {
  const { id, owner, project, scope, remoteAddress, userAgent } = record;
  const { createdAt, lastSeenAt, idleMs, endsAt, expiresAt, purgeAt } = record;
  const { attributes, keys, pages, counters } = record;
  return [
    ...[id, owner, project, scope, remoteAddress, userAgent].map(textColumn),
    record.v,
    ...[createdAt, lastSeenAt, idleMs, endsAt, expiresAt, purgeAt],
    ...[storedData(record.data), attributes, keys, pages, counters].map(jsonColumn),
  ];
}

/** The same as JSON, as one element of an array. */
export function insertedRow(record: SessionRecord): string {
  const { id, owner, project, scope, createdAt, lastSeenAt, idleMs, endsAt, expiresAt, purgeAt } = record;
  const { attributes, keys, pages, counters } = record;
  return jsonColumn({
    ...{ id, owner, project, scope, remote_address: record.remoteAddress, user_agent: record.userAgent },
    ...{ format: record.v, created_at: String(createdAt), last_seen_at: String(lastSeenAt), idle_ms: String(idleMs) },
    ...{ ends_at: String(endsAt), expires_at: String(expiresAt), purge_at: String(purgeAt) },
    ...{ data: storedData(record.data), attributes, keys, pages, counters },
  });
}

/** An end as PostgreSQL is given it: one element of a JSON array. */
export function endingOf(id: string, { endedAt, reason, endedBy, message, purgeAt }: Ending): object {
  const times = { ended_at: String(endedAt), purge_at: String(purgeAt) };
  return { id, ...times, reason, ended_by: endedBy, message: message ?? null };
}

/** The maps of a record of which a change can set and remove members. */
export const MAPS = ["data", "attributes", "keys", "pages"] as const;

/** A change as PostgreSQL is given it: one element of a JSON array; `version` where it must still be that one. */
export function changeOf(id: string, delta: SessionDelta, version?: string): object {
  const { owner, lastSeenAt, idleMs, expiresAt, purgeAt, counters } = delta;
  return {
    id,
    ...(version === undefined ? undefined : { version }),
    ...(owner === undefined ? undefined : { owner }),
    ...(lastSeenAt === undefined ? undefined : { last_seen_at: String(lastSeenAt) }),
    ...(idleMs === undefined ? undefined : { idle_ms: String(idleMs) }),
    ...(expiresAt === undefined ? undefined : { expires_at: String(expiresAt) }),
    ...(purgeAt === undefined ? undefined : { purge_at: String(purgeAt) }),
    ...(counters === undefined ? undefined : { counters }),
    ...mapChange("data", delta.data && { ...delta.data, set: storedData(delta.data.set ?? {}) }),
    ...mapChange("attributes", delta.attributes),
    ...mapChange("keys", delta.keys),
    ...mapChange("pages", delta.pages),
  };
}

function mapChange(name: (typeof MAPS)[number], delta: MapDelta<unknown> | undefined): object | undefined {
  return delta === undefined ? undefined : { [name]: delta.set ?? {}, [`${name}_gone`]: delta.remove ?? [] };
}

/** Bytes as they are in JSON; a text is a string there, so that the two can't be taken for each other. */
interface Base64 {
  readonly base64: string;
}

function storedData(data: Readonly<Record<string, Encoded>>): Readonly<Record<string, string | Base64>> {
  for (const key in data) {
    if (typeof data[key] === "string") continue;
    const stored = dictionary<string | Base64>();
    for (const [name, value] of Object.entries(data)) {
      stored[name] = typeof value === "string" ? value : base64Of(value);
    }
    return stored;
  }
  return data as Readonly<Record<string, string>>;
}

/** JSON as `jsonb` takes it. Infinity is null, and bytes are `{ "base64": … }`. */
export function jsonColumn(value: object): string {
  const text = JSON.stringify(value, bytesAsBase64);
  return MAY_HAVE_UNSTORABLE.test(text) ? JSON.stringify(deepCopy(JSON.parse(text), textColumn)) : text;
}

function bytesAsBase64(this: Record<string, unknown>, name: string, value: unknown): unknown {
  // `value` is no Buffer any more where there was one, because of its toJSON.
  const bytes = typeof value === "object" ? this[name] : undefined;
  return bytes instanceof Uint8Array || Buffer.isBuffer(bytes) ? base64Of(bytes) : value;
}

function base64Of({ buffer, byteOffset, byteLength }: Uint8Array): Base64 {
  return { base64: Buffer.from(buffer, byteOffset, byteLength).toString("base64") };
}

/** The sign in front of the code of a character that PostgreSQL's texts can't hold: DLE, "data link escape". */
const ESCAPE = "\u0010";
const UNSTORABLE = /[\p{Cc}\p{Cs}]/gu;
const ESCAPED = new RegExp(`${ESCAPE}([0-9a-f]{4})`, "g");
/** JSON in which there may be such a character, or the sign. */
const MAY_HAVE_UNSTORABLE = /\\u(?:0000|0010|d[89a-f])/;

/** A text as PostgreSQL can hold it: NUL, halves of characters, and the sign itself are escaped. */
export function textColumn(text: string): string {
  return text.replace(UNSTORABLE, (char) => {
    const code = char.charCodeAt(0);
    const isStorable = code !== 0 && char !== ESCAPE && code < 0xd800;
    return isStorable ? char : ESCAPE + code.toString(16).padStart(4, "0");
  });
}

export function textOf(column: string | null | undefined): string {
  if (typeof column !== "string") throw new TypeError("not a text");
  return column.includes(ESCAPE) ? unescaped(column) : column;
}

function unescaped(text: string): string {
  return text.replace(ESCAPED, (_, code: string) => String.fromCharCode(parseInt(code, 16)));
}

/** A copy of JSON, with each text and each key changed. */
function deepCopy(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === "string") return change(value);
  if (Array.isArray(value)) return value.map((item) => deepCopy(item, change));
  if (typeof value !== "object" || value === null) return value;
  const copy = dictionary<unknown>();
  for (const [key, inner] of Object.entries(value)) copy[change(key)] = deepCopy(inner, change);
  return copy;
}

function numberOf(column: string | null | undefined): number {
  const number = typeof column === "string" ? Number(column) : NaN;
  if (Number.isNaN(number)) throw new TypeError("not a number");
  return number;
}

/** A map; an empty one where the column was not read. */
function mapOf<T>(column: string | null | undefined, read: (value: unknown) => T): Record<string, T> {
  const map = dictionary<T>();
  if (column === undefined || column === "{}") return map;
  let stored: unknown = JSON.parse(textOfJson(column));
  if (column?.includes("\\u0010") === true) stored = deepCopy(stored, unescaped);
  if (typeof stored !== "object" || stored === null || Array.isArray(stored)) throw new TypeError("not a map");
  for (const key of Object.keys(stored)) map[key] = read((stored as Record<string, unknown>)[key]);
  return map;
}

function textOfJson(column: string | null): string {
  if (column === null) throw new TypeError("not a map");
  return column;
}

function encodedOf(value: unknown): Encoded {
  if (typeof value === "string") return value;
  if (isBase64(value)) return bytesOf(value);
  throw new TypeError("not an encoded value");
}

function counterOf(value: unknown): number {
  if (typeof value === "number") return value;
  throw new TypeError("not a counter");
}

/** What is in the maps of attributes, security keys and pages: an object of texts, numbers and bytes. */
function objectOf(value: unknown): object {
  if (typeof value !== "object" || value === null) throw new TypeError("not an object");
  for (const [name, inner] of Object.entries(value)) {
    if (inner === null) Object.assign(value, { [name]: Infinity });
    else if (isBase64(inner)) Object.assign(value, { [name]: bytesOf(inner) });
  }
  return value;
}

function isBase64(value: unknown): value is Base64 {
  return typeof value === "object" && value !== null && "base64" in value && typeof value.base64 === "string";
}

/** In memory of its own, which small Buffers don't have. */
function bytesOf({ base64 }: Base64): Uint8Array {
  return new Uint8Array(Buffer.from(base64, "base64"));
}

function assertFormat(id: string | null | undefined, format: string | null | undefined): void {
  if (Number(format) > RECORD_VERSION) throw new NewerFormatError(id ?? "", Number(format));
}

function damaged(id: string | null | undefined, cause: unknown): SessionError {
  // What JSON.parse says repeats some of what is stored.
  const told = new TypeError(cause instanceof TypeError ? cause.message : "not JSON");
  return new SessionError("SESSION_UNREADABLE", `What is stored of the session ${id ?? ""} is damaged.`, {
    cause: told,
  });
}

function each(type: string, ...names: string[]): [string, string][] {
  return names.map((name) => [name, type]);
}
