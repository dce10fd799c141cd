import type { SessionTally } from "../../../stores/store";
import { UNAUTHENTICATED } from "../../../record/session-record";
import type { SessionInfo } from "../../listing/session-info";
import type { SessionPage } from "../../listing/session-reader";
import type { ConsoleAnswer, ConsoleVisit } from "../console-visit";
import { dataTable } from "../parts/data-table";
import type { Column } from "../parts/data-table";
import { html } from "../parts/html";
import type { Html } from "../parts/html";
import { instant } from "../parts/instant";
import { endUserPath } from "../kill/kill-path";
import { listFilter, listPath, NAMELESS, readListQuery } from "./list-query";
import type { ListQuery } from "./list-query";
import { pageFrame } from "../parts/page-frame";
import { counted } from "../parts/quantity";
import { deviceLabel, endedByLabel, endLabel, foreign, projectLabel, userLabel } from "../parts/session-words";

/** The sessions that pass the filters, fifty on a page, by a cursor: the last page is as near as the first. */
export async function listPage(visit: ConsoleVisit): Promise<ConsoleAnswer> {
  const { admin, base, title, now, query: fields } = visit;
  const query = readListQuery(fields);
  const after = fields.get("after") || undefined;
  const [sessions, tallies] = await Promise.all([admin.list(listFilter(query, after)), admin.tally()]);
  const isSeveral = new Set(tallies.map(({ project }) => project)).size > 1 || query.project !== undefined;
  const content = html`${filters(visit, query, tallies)} ${summary(visit, query, sessions, after)}
  ${sessions.length > 0 && dataTable("Sessions", columns(visit, query, isSeveral), sessions)}
  ${paging(base, query, sessions, after)}`;
  const heading = query.live === false ? "Sessions that ended" : "Live sessions";
  return { status: 200, page: pageFrame({ base, title, heading, here: "list", now, content }) };
}

function filters({ base }: ConsoleVisit, query: ListQuery, tallies: readonly SessionTally[]): Html {
  const { user = "", who = "", live = true } = query;
  const project = query.project === "" ? NAMELESS : query.project;
  const projects = tallies.map((group) => group.project || NAMELESS);
  return html`<form class="panel filters" method="get" action="${base}/list" data-filters>
    <label>User <input name="user" value="${user}" autocapitalize="none" spellcheck="false" maxlength="1024" /></label>
    ${choice(
      "Who",
      "who",
      who,
      ["guests", "signed-in"],
      new Map([
        ["guests", "Guests"],
        ["signed-in", "Signed in"],
      ]),
    )}
    ${choice("Project", "project", project, projects, new Map([[NAMELESS, "No name"]]))}
    ${choice(
      "Scope",
      "scope",
      query.scope,
      tallies.map(({ scope }) => scope),
    )}
    <label
      >State
      <select name="state">
        <option value="live">Live</option>
        <option value="ended" ${!live && html`selected`}>Ended</option>
      </select></label
    >
    <p class="actions"><button class="button">Filter</button> <a href="${base}/list">Clear</a></p>
  </form>`;
}

function choice(
  label: string,
  name: string,
  chosen = "",
  known: readonly string[],
  words: ReadonlyMap<string, string> = new Map(),
) {
  const values = [...new Set(chosen === "" ? known : [...known, chosen])].sort();
  return html`<label
    >${label}
    <select name="${name}">
      <option value="">Any</option>
      ${values.map(
        (value) =>
          html`<option value="${value}" ${value === chosen && html`selected`}>${words.get(value) ?? value}</option>`,
      )}
    </select></label
  >`;
}

function summary({ base }: ConsoleVisit, query: ListQuery, sessions: SessionPage, after: string | undefined): Html {
  const { user, live = true } = query;
  const isAll = after === undefined && sessions.next === undefined;
  const text =
    sessions.length === 0
      ? sessions.next === undefined
        ? "There are none."
        : "None among those that were looked at so far. There are more to look at."
      : isAll
        ? counted(sessions.length, "session")
        : `${counted(sessions.length, "session")} on this page`;
  const endsUser = live && user !== undefined && sessions.length > 0;
  return html`<div class="summary">
    <p role="status">${text}</p>
    ${endsUser && html`<a class="button danger" href="${endUserPath(base, user)}">End all sessions of ${userLabel(user)}…</a>`}
  </div>`;
}

function columns({ base, now, session }: ConsoleVisit, query: ListQuery, isSeveral: boolean): Column<SessionInfo>[] {
  const where = isSeveral ? [{ heading: "Project", cell: ({ project }: SessionInfo) => projectLabel(project) }] : [];
  const common: Column<SessionInfo>[] = [
    {
      heading: "User",
      cell: ({ id, username }) =>
        html`<a href="${base}/session/${id}">${userLabel(username)}</a> ${
            id === session.id && html`<span class="badge">This one</span>`
          }`,
    },
    { heading: "Device", cell: deviceLabel },
    ...where,
    { heading: "Scope", cell: ({ sessionScope }) => html`<span class="scope">${foreign(sessionScope)}</span>` },
    { heading: "Address", cell: ({ clientAddress }) => html`<code>${clientAddress || "–"}</code>` },
  ];
  if (query.live === false) {
    return [
      ...common,
      { heading: "Ended", cell: ({ endedAt }) => instant(endedAt, now) },
      { heading: "Reason", cell: endLabel },
      { heading: "By", cell: endedByLabel },
    ];
  }
  return [
    ...common,
    { heading: "Started", cell: ({ createdAt }) => instant(createdAt, now) },
    { heading: "Last seen", cell: ({ lastSeenAt }) => instant(lastSeenAt, now) },
    {
      heading: "End",
      cell: ({ id, username }) =>
        html`<a class="button small danger" href="${base}/end/session/${id}"
          >End…<span class="unseen">
            (session of ${username === UNAUTHENTICATED ? "a guest" : foreign(username)})</span
          ></a
        >`,
    },
  ];
}

function paging(base: string, query: ListQuery, { next }: SessionPage, after: string | undefined): Html | false {
  if (next === undefined && after === undefined) return false;
  return html`<nav class="paging" aria-label="Pages">
    ${after !== undefined && html`<a class="button" href="${listPath(base, query)}">First page</a>`}
    ${next !== undefined && html`<a class="button" rel="next" href="${listPath(base, query, next)}">Next page</a>`}
  </nav>`;
}
