import { html } from "./html";
import type { Html, HtmlValue } from "./html";

/** How a click on a heading sorts, and whether the rows are sorted by it now. */
export interface Sorting {
  readonly href: string;
  readonly now?: "ascending" | "descending";
}

/** A column: its heading, and the content of its cells. The first column names the row. */
export interface Column<Row> {
  readonly heading: string;
  readonly cell: (row: Row) => HtmlValue;
  readonly isNumber?: boolean;
  readonly sorting?: Sorting;
}

/** A box in front of each row, of a form that stands elsewhere on the page. */
export interface TickBox<Row> {
  readonly form: string;
  readonly name: string;
  readonly value: (row: Row) => string;
  readonly label: (row: Row) => HtmlValue;
}

export interface DataTable<Row> {
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  /** Names the rows, so that an update of the page moves none into another's place. */
  readonly keyOf?: (row: Row) => string;
  readonly tick?: TickBox<Row>;
}

/**
 * A table that becomes one card a row on narrow screens. Its roles are explicit, since browsers drop the implied ones
 * where CSS makes rows and cells into blocks.
 */
export function dataTable<Row>({ caption, columns, rows, keyOf, tick }: DataTable<Row>): Html {
  return html`<table role="table">
    <caption>
      ${caption}
    </caption>
    <thead role="rowgroup">
      <tr role="row">
        ${
          tick !== undefined &&
          html`<th role="columnheader" scope="col" class="tick"><span class="unseen">Tick</span></th>`
        }${columns.map(heading)}
      </tr>
    </thead>
    <tbody role="rowgroup">
      ${rows.map(
        (row) =>
          html`<tr role="row" data-key="${keyOf?.(row)}">
            ${tick !== undefined && tickCell(tick, row)}${columns.map((column, index) => cell(column, row, index === 0))}
          </tr>`,
      )}
    </tbody>
  </table>`;
}

function heading<Row>({ heading: text, isNumber = false, sorting }: Column<Row>): Html {
  const sort = sorting?.now === undefined ? undefined : html`aria-sort="${sorting.now}"`;
  return html`<th role="columnheader" scope="col" class="${isNumber && "number"}" ${sort}>
    ${sorting === undefined ? text : html`<a href="${sorting.href}">${text}${arrow(sorting)}</a>`}
  </th>`;
}

function arrow({ now }: Sorting): Html | undefined {
  return now && html`<span class="arrow" aria-hidden="true">${now === "ascending" ? "↑" : "↓"}</span>`;
}

function tickCell<Row>({ form, name, value, label }: TickBox<Row>, row: Row): Html {
  return html`<td role="cell" class="tick">
    <label
      ><input type="checkbox" form="${form}" name="${name}" value="${value(row)}" /><span class="unseen"
        >${label(row)}</span
      ></label
    >
  </td>`;
}

function cell<Row>({ heading: label, cell: content, isNumber = false }: Column<Row>, row: Row, isFirst: boolean): Html {
  const value = content(row);
  return isFirst
    ? html`<th role="rowheader" scope="row">${value}</th>`
    : html`<td role="cell" data-label="${label}" class="${isNumber && "number"}"><span>${value}</span></td>`;
}
