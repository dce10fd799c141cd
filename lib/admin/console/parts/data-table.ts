import { html } from "./html";
import type { Html, HtmlValue } from "./html";

/** A column: its heading, and the content of its cells. The first column names the row. */
export interface Column<Row> {
  readonly heading: string;
  readonly cell: (row: Row) => HtmlValue;
  readonly isNumber?: boolean;
}

/**
 * A table that becomes one card a row on narrow screens. Its roles are explicit, since browsers drop the implied ones
 * where CSS makes rows and cells into blocks. `keyOf` names the rows, so that an update of the page moves none into
 * another's place.
 */
export function dataTable<Row>(
  caption: string,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  keyOf?: (row: Row) => string,
): Html {
  return html`<table role="table">
    <caption>
      ${caption}
    </caption>
    <thead role="rowgroup">
      <tr role="row">
        ${columns.map(
          ({ heading, isNumber = false }) =>
            html`<th role="columnheader" scope="col" class="${isNumber && "number"}">${heading}</th>`,
        )}
      </tr>
    </thead>
    <tbody role="rowgroup">
      ${rows.map(
        (row) =>
          html`<tr role="row" data-key="${keyOf?.(row)}">
            ${columns.map((column, index) => cell(column, row, index === 0))}
          </tr>`,
      )}
    </tbody>
  </table>`;
}

function cell<Row>({ heading, cell: content, isNumber = false }: Column<Row>, row: Row, isFirst: boolean): Html {
  const value = content(row);
  return isFirst
    ? html`<th role="rowheader" scope="row">${value}</th>`
    : html`<td role="cell" data-label="${heading}" class="${isNumber && "number"}"><span>${value}</span></td>`;
}
