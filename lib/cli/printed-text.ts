import ms from "ms";
import type { SessionInfo } from "../admin/listing/session-info";
import { UNPRINTABLE, escaped } from "../record/shown-text";

const UNITS = ["bytes", "KiB", "MiB", "GiB", "TiB"];
/** The widths of a table's columns are measured on this many rows; later rows are not waited for. */
const MEASURED_ROWS = 200;

/**
 * Text from a client, for one line of a terminal: characters that could move the cursor, change what was printed, or
 * reverse its order are escaped. (CWE-150)
 */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, escaped);
}

/** A value as one line of JSON that is safe to print on a terminal; the value is unchanged by it. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value).replace(UNPRINTABLE, (char) =>
    // By code units: JSON has no escape for whole characters.
    Array.from({ length: char.length }, (_, at) => `\\u${char.charCodeAt(at).toString(16).padStart(4, "0")}`).join(""),
  );
}

/** A session as one line of JSON, with `more`, and without `authorized`, which only the app can tell. */
export function sessionJson({ authorized: _authorized, ...info }: SessionInfo, more: object = {}): string {
  return printableJson({ ...info, ...more });
}

/** "1 session", "2 sessions". */
export function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? "" : "s"}`;
}

/** A number of bytes, in the unit that suits it. */
export function sizeText(bytes: number): string {
  const unit = bytes < 1024 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), UNITS.length - 1);
  return `${unit === 0 ? bytes : (bytes / 1024 ** unit).toFixed(1)} ${UNITS[unit] ?? ""}`;
}

/** An instant, to the second, in UTC; "-" for none. */
export function instantText(instant: Date | null): string {
  return instant === null
    ? "-"
    : instant
        .toISOString()
        .replace("T", " ")
        .replace(/\.\d+Z$/, "Z");
}

/** How long ago something was, given in milliseconds, in the unit that suits it. */
export function agoText(millis: number): string {
  return millis < 1_000 ? "now" : `${ms(millis)} ago`;
}

/** The named parts of one thing, a line each, without those that are null. */
export function partLines(parts: Readonly<Record<string, string | number | null>>): string {
  const lines = Object.entries(parts).filter(([, value]) => value !== null);
  const width = Math.max(...lines.map(([name]) => name.length));
  return lines.map(([name, value]) => `${name.padEnd(width)}  ${printable(String(value)) || "-"}`).join("\n");
}

/** Rows as the lines of a table, any number of them. Without rows there is no header either. */
export async function* tableLines(
  header: readonly string[],
  rows: AsyncIterable<readonly string[]>,
): AsyncGenerator<string> {
  let measured: (readonly string[])[] = [header];
  let widths: number[] | undefined;
  for await (const row of rows) {
    const cells = row.map((cell) => printable(cell) || "-");
    if (widths !== undefined) {
      yield lineOf(cells, widths);
    } else if (measured.push(cells) > MEASURED_ROWS) {
      widths = widthsOf(measured);
      for (const each of measured) yield lineOf(each, widths);
      measured = [];
    }
  }
  if (widths !== undefined || measured.length === 1) return;
  widths = widthsOf(measured);
  for (const each of measured) yield lineOf(each, widths);
}

function widthsOf(rows: readonly (readonly string[])[]): number[] {
  return (rows[0] ?? []).map((_, column) => Math.max(...rows.map((cells) => lengthOf(cells[column] ?? ""))));
}

function lineOf(cells: readonly string[], widths: readonly number[]): string {
  return cells
    .map((cell, column) => cell + " ".repeat(Math.max(0, (widths[column] ?? 0) - lengthOf(cell))))
    .join("  ")
    .trimEnd();
}

/** In characters, as a terminal counts most of them. */
function lengthOf(text: string): number {
  return Array.from(text).length;
}
