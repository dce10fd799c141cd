import { printable } from "./printable";

/** So many rows tell how wide the columns are; what comes later is not waited for. */
const MEASURED_ROWS = 200;

/** Rows as the lines of a table, however many there are. Without any there is no header either. */
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
