import { deviceName } from "../../listing/device-name";
import type { StoredSessionInfo } from "../../listing/session-info";
import type { ConsoleAnswer, ConsoleVisit } from "../console-visit";
import { readListQuery, searchOf } from "./list-query";
import { MOST_EXPORTED } from "./session-table";

type Field = readonly [heading: string, value: (info: StoredSessionInfo) => string | number | Date | null | undefined];

const FIELDS: readonly Field[] = [
  ["id", ({ id }) => id],
  ["user", ({ username }) => username],
  ["project", ({ project }) => project],
  ["scope", ({ sessionScope }) => sessionScope],
  ["device", ({ userAgent }) => deviceName(userAgent)],
  ["address", ({ clientAddress }) => clientAddress],
  ["user agent", ({ userAgent }) => userAgent],
  ["other address", ({ otherClient }) => otherClient?.clientAddress],
  ["other user agent", ({ otherClient }) => otherClient?.userAgent],
  ["created", ({ createdAt }) => createdAt],
  ["last seen", ({ lastSeenAt }) => lastSeenAt],
  ["expires", ({ expiresAt }) => expiresAt],
  ["ended", ({ endedAt }) => endedAt],
  ["reason", ({ endReason }) => endReason],
  ["ended by", ({ endedBy }) => endedBy],
  ["pages", ({ activePages }) => activePages],
];

/** Tells spreadsheets that the file is UTF-8. */
const BYTE_ORDER_MARK = "\ufeff";
/** What makes a spreadsheet read a field as a formula, also in full width. (OWASP CSV Injection) */
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;

/** What a listing finds, as a file: RFC 4180, a row at a time, up to 100,000 rows in no particular order. */
export async function csvExport(visit: ConsoleVisit): Promise<ConsoleAnswer> {
  const search = searchOf(readListQuery(visit.query, visit.query.has("user")));
  const sessions = await visit.admin.export({ ...search, limit: MOST_EXPORTED });
  const day = new Date(visit.now).toISOString().slice(0, 10);
  const headers = {
    "Content-Type": "text/csv; charset=utf-8; header=present",
    "Content-Disposition": `attachment; filename="sessions-${day}.csv"`,
  };
  return { status: 200, lines: csvLines(sessions), headers };
}

async function* csvLines(sessions: AsyncIterable<StoredSessionInfo>): AsyncGenerator<string> {
  yield BYTE_ORDER_MARK + csvLine(FIELDS.map(([heading]) => heading));
  for await (const info of sessions) yield csvLine(FIELDS.map(([, value]) => csvText(value(info))));
}

function csvText(value: ReturnType<Field[1]>): string {
  return value instanceof Date ? value.toISOString() : String(value ?? "");
}

/** Each field is quoted; one that a spreadsheet would calculate begins with an apostrophe, which makes it text. */
function csvLine(fields: readonly string[]): string {
  const quoted = fields.map((field) => `"${(FORMULA.test(field) ? `'${field}` : field).replaceAll('"', '""')}"`);
  return `${quoted.join(",")}\r\n`;
}
