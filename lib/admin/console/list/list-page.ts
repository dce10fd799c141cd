import { shareOf } from "../parts/share-bar";
import { html } from "../parts/html";
import { pageFrame } from "../parts/page-frame";
import type { ConsoleAnswer, ConsoleVisit } from "../console-visit";
import { suitingColumns } from "./list-columns";
import { listFilters } from "./list-filters";
import { readListQuery, sortedQuery } from "./list-query";
import { sessionTable } from "./session-table";

/** The sessions that match the filters, fifty to a page, newest first unless another order is chosen. */
export async function listPage(visit: ConsoleVisit): Promise<ConsoleAnswer> {
  const { admin, base, frame, now } = visit;
  const query = readListQuery(visit.query, false);
  const [part, { tallies }] = await Promise.all([admin.sorted(sortedQuery(query)), visit.tally()]);
  const columns = query.columns ?? suitingColumns(tallies);
  const { signedIn, guests } = shareOf(tallies);
  const total = query.live ? signedIn + guests : undefined;
  const content = html`${listFilters(base, query, tallies, columns)}
  ${sessionTable(visit, query, { part, total, columns })}`;
  const heading = query.live ? "Live sessions" : "Sessions that ended";
  return { status: 200, page: pageFrame({ frame, heading, here: "list", now, isLive: true, content }) };
}
