import type { StoredSessionInfo } from "../../listing/session-info";
import type { SortedPart } from "../../listing/sorted-listing";
import type { ConsoleAnswer, ConsoleVisit } from "../console-visit";
import { endUserPath } from "../kill/kill-action";
import { actionsColumn, listColumns, suitingColumns } from "../list/list-columns";
import { listAddress, readListQuery, sortedQuery } from "../list/list-query";
import { sessionTable } from "../list/session-table";
import { dataTable } from "../parts/data-table";
import { html } from "../parts/html";
import type { Html } from "../parts/html";
import { pageFrame } from "../parts/page-frame";
import { foreign } from "../parts/shown-values";

/** How many of a user's sessions that have ended are shown. */
const ENDED_SHOWN = 20;

/** All sessions of a user: the live ones, and those that ended lately. */
export async function userPage(visit: ConsoleVisit): Promise<ConsoleAnswer> {
  const { admin, base, frame, now } = visit;
  // The page has both the live ones and the others, whatever its address says.
  const fields = new URLSearchParams(visit.query);
  fields.delete("state");
  const liveQuery = readListQuery(fields, true);
  const { user = "" } = liveQuery;
  const ended = { user, live: false, sort: "ended", isDescending: false, page: 1 } as const;
  const [part, over, { tallies }] = await Promise.all([
    admin.sorted(sortedQuery(liveQuery)),
    admin.sorted({ ...sortedQuery(ended), limit: ENDED_SHOWN }),
    visit.tally(),
  ]);
  const columns = liveQuery.columns ?? suitingColumns(tallies);
  const back = listAddress(liveQuery);
  const content = html`${
      part.found > 0 &&
      html`<p class="actions">
        <a class="button danger" href="${endUserPath(base, user, back)}">End all sessions of ${foreign(user)}…</a>
      </p>`
    }
    <section>
      <h2>Live sessions</h2>
      ${sessionTable(visit, liveQuery, { part, total: undefined, columns })}
    </section>
    ${lately(visit, over, back)}`;
  return {
    status: 200,
    page: pageFrame({ frame, heading: html`${foreign(user)}`, tab: user, now, isLive: true, content }),
  };
}

function lately(visit: ConsoleVisit, { sessions, found }: SortedPart, back: string): Html {
  const columns = [...listColumns(visit, false, ["device", "address"]), actionsColumn(visit, back)];
  return html`<section>
    <h2>Ended lately</h2>
    ${
      sessions.length === 0
        ? html`<p class="empty">No session of this user ended lately.</p>`
        : html`${dataTable<StoredSessionInfo>({
            caption: "Sessions that ended lately",
            columns,
            rows: sessions,
            keyOf: ({ id }) => id,
          })}
          ${found > sessions.length && html`<p class="more">These are the latest of ${found}.</p>`}`
    }
  </section>`;
}
