import type { StoredSessionInfo } from "../../listing/session-info";
import type { SortKey, SortedPart } from "../../listing/sorted-listing";
import type { ConsoleVisit } from "../console-visit";
import { dataTable } from "../parts/data-table";
import type { Sorting, TickBox } from "../parts/data-table";
import { html } from "../parts/html";
import type { Html } from "../parts/html";
import { count, counted } from "../parts/shown-values";
import { ownerText } from "../parts/user-labels";
import { actionsColumn, listColumns } from "./list-columns";
import type { ColumnName } from "./list-columns";
import { exportAddress, listAddress, PAGE_SIZE } from "./list-query";
import type { ListQuery } from "./list-query";

/** The form that the ticks of a listing belong to. */
const TICK_FORM = "ticked";
/** The most rows of a file; `export.csv` says it too. */
export const MOST_EXPORTED = 100_000;

/** What numbers are best seen from the largest on. */
const LARGEST_FIRST: ReadonlySet<SortKey> = new Set(["pages"]);

/** A listing: how many there are, what can be done with them, the sessions, and the way to other pages. */
export function sessionTable(
  visit: ConsoleVisit,
  query: ListQuery,
  { part, total, columns }: { part: SortedPart; total: number | undefined; columns: readonly ColumnName[] },
): Html {
  const { base } = visit;
  const back = listAddress(query);
  const own = listColumns(visit, query.live, columns).map((column) => ({
    ...column,
    sorting: sorting(base, query, column.name),
  }));
  const tick = query.live ? { tick: TICK } : {};
  return html`<div class="summary">
      <p role="status">${foundText(query, part)}</p>
      <div class="actions">
        ${query.live && part.sessions.length > 0 && tickForm(base, back)}
        ${
          part.found > 0 &&
          html`<a class="button" href="${base}${exportAddress(query)}">Export as CSV</a>
            <span class="hint">up to ${count(MOST_EXPORTED)} rows</span>`
        }
      </div>
    </div>
    ${part.next !== undefined && limitNote(base, query, part, total)}
    ${
      part.sessions.length > 0 &&
      dataTable<StoredSessionInfo>({
        caption: "Sessions",
        columns: [...own, actionsColumn(visit, back)],
        rows: part.sessions,
        keyOf: ({ id }) => id,
        ...tick,
      })
    }
    ${paging(base, query, part)}`;
}

const TICK: TickBox<StoredSessionInfo> = {
  form: TICK_FORM,
  name: "id",
  value: ({ id }) => id,
  label: ({ username }) => html`Tick the session of ${ownerText(username)}`,
};

function tickForm(base: string, back: string): Html {
  return html`<form id="${TICK_FORM}" method="get" action="${base}/end/ticked">
    <input type="hidden" name="back" value="${back}" />
    <button class="button danger">End the ticked ones…</button>
  </form>`;
}

/** How a heading sorts: as it says when it is clicked, and the other way round when it is clicked again. */
function sorting(base: string, query: ListQuery, name: SortKey): Sorting {
  const isNow = query.sort === name;
  const isDescending = isNow ? !query.isDescending : LARGEST_FIRST.has(name);
  return {
    href: base + listAddress({ ...query, sort: name, isDescending, page: 1 }),
    ...(isNow ? { now: query.isDescending ? ("descending" as const) : ("ascending" as const) } : {}),
  };
}

function foundText({ page }: ListQuery, { found, sessions, next }: SortedPart): string {
  if (found === 0) return next === undefined ? "There are none." : "None found so far.";
  if (sessions.length === 0) return "There is nothing on this page any more.";
  if (found <= PAGE_SIZE) return counted(found, "session");
  const first = (page - 1) * PAGE_SIZE + 1;
  return `${count(first)} to ${count(first + sessions.length - 1)} of ${counted(found, "session")}`;
}

/** Says that not all sessions were looked at, and what to do about it. */
function limitNote(base: string, query: ListQuery, { lookedAt, next }: SortedPart, total: number | undefined): Html {
  const all = total === undefined || total <= lookedAt ? "" : ` of about ${count(total)} live`;
  const others = { ...query, page: 1, ...(next === undefined ? {} : { after: next }) };
  return html`<p class="note">
    ${count(lookedAt)}${all} sessions were looked at and sorted: there are more than a list sorts at a time.
    ${
      query.search === undefined
        ? "Find others by the name of a user or by an id"
        : "To search all of them, enter a whole user name or at least four characters of an id"
    },
    or <a href="${base}${listAddress(others)}">look at the next ones</a>.
  </p>`;
}

function paging(base: string, query: ListQuery, { found, next }: SortedPart): Html | false {
  const { page, after } = query;
  const hasNext = page * PAGE_SIZE < found;
  if (page === 1 && !hasNext && after === undefined) return false;
  const first: ListQuery & { after?: string | undefined } = { ...query, page: 1 };
  return html`<nav class="paging" aria-label="Pages">
    ${page > 1 && html`<a class="button" rel="prev" href="${base}${listAddress({ ...query, page: page - 1 })}">Previous page</a>`}
    ${hasNext && html`<a class="button" rel="next" href="${base}${listAddress({ ...query, page: page + 1 })}">Next page</a>`}
    ${!hasNext && next !== undefined && html`<a class="button" rel="next" href="${base}${listAddress({ ...query, page: 1, after: next })}">Look at the next ones</a>`}
    ${(page > 2 || after !== undefined) && html`<a class="button" href="${base}${listAddress(withoutAfter(first))}">First page</a>`}
  </nav>`;
}

function withoutAfter({ after: _after, ...query }: ListQuery): ListQuery {
  return query;
}
