import { SessionError } from "../../../errors";
import { isProjectName, UNAUTHENTICATED } from "../../../record/session-record";
import { assertUserIdForm } from "../../../session/session-owner";
import type { SessionTally } from "../../../stores/store";
import type { SessionFilter } from "../../listing/session-filter";
import type { SessionInfo } from "../../listing/session-info";
import type { SessionPage } from "../../listing/session-reader";
import type { ConsoleAnswer, ConsoleVisit } from "../console-visit";
import { endUserPath } from "../kill/kill-action";
import { dataTable } from "../parts/data-table";
import type { Column } from "../parts/data-table";
import { html } from "../parts/html";
import type { Html } from "../parts/html";
import { pageFrame } from "../parts/page-frame";
import { count, counted, deviceLabel, endedByLabel, endLabel, foreign, instant } from "../parts/shown-values";
import { projectLabel, userLabel } from "../parts/shown-values";

/** The filters of a listing. */
interface ListQuery {
  /** A user id; with one, `who` has no effect. */
  readonly user?: string;
  readonly who?: "guests" | "signed-in";
  /** `""` is the project without a name. */
  readonly project?: string;
  readonly scope?: string;
  /** Default true. */
  readonly live?: boolean;
}

/** Stands for the project without a name; no project can have this one. */
const NAMELESS = "(none)";
const PAGE_SIZE = 50;
const MAX_SCOPE_LENGTH = 64;

/**
 * The sessions that match the filters, fifty to a page. It pages by a cursor, so that the last page costs no more than
 * the first.
 */
export async function listPage(visit: ConsoleVisit): Promise<ConsoleAnswer> {
  const { admin, base, title, now, query: fields } = visit;
  const query = readListQuery(fields);
  const after = fields.get("after") || undefined;
  const [sessions, tallies] = await Promise.all([admin.list(listFilter(query, after)), admin.tally()]);
  const isSeveral = new Set(tallies.map(({ project }) => project)).size > 1 || query.project !== undefined;
  const content = html`${filters(visit, query, tallies)} ${summary(visit, query, sessions, after)}
  ${sessions.length > 0 && dataTable("Sessions", columns(visit, query, isSeveral), sessions, idOf)}
  ${paging(base, query, sessions, after)}`;
  const heading = query.live === false ? "Sessions that ended" : "Live sessions";
  return { status: 200, page: pageFrame({ base, title, heading, here: "list", now, isLive: true, content }) };
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
        : "None found so far; there are more sessions to look at."
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
    { heading: "Pages", cell: ({ activePages }) => count(activePages), isNumber: true },
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

/**
 * Reads the filters from the query string. An empty field, as a form sends it, is no filter. Throws `SESSION_ARGUMENT`
 * for what can't be a user id, project or scope, before any store is asked.
 */
function readListQuery(query: URLSearchParams): ListQuery {
  const given = (name: string) => query.get(name)?.trim() || undefined;
  // Not trimmed: a link to a user whose name begins with a space must find that user.
  const user = query.get("user") || undefined;
  const [who, scope] = [given("who"), given("scope")];
  const project = given("project") === NAMELESS ? "" : given("project");
  if (user !== undefined) assertUserIdForm(user, "The console");
  if (!isProjectName(project ?? "") || (scope ?? "").length > MAX_SCOPE_LENGTH) {
    throw new SessionError("SESSION_ARGUMENT", "The console: no project or scope has such a name.");
  }
  return {
    ...(user === undefined ? {} : { user }),
    ...(user === undefined && (who === "guests" || who === "signed-in") ? { who } : {}),
    ...(project === undefined ? {} : { project }),
    ...(scope === undefined ? {} : { scope }),
    ...(given("state") === "ended" ? { live: false } : {}),
  };
}

/** The path of a listing, of its page after the cursor. */
export function listPath(base: string, { user, who, project, scope, live = true }: ListQuery, after?: string): string {
  const fields = {
    user,
    who,
    project: project === "" ? NAMELESS : project,
    scope,
    state: live ? undefined : "ended",
    after,
  };
  const given = Object.entries(fields).filter((field): field is [string, string] => field[1] !== undefined);
  return given.length === 0 ? `${base}/list` : `${base}/list?${new URLSearchParams(given).toString()}`;
}

/** The filter for `SessionAdmin.list`. */
function listFilter({ user, who, project, scope, live = true }: ListQuery, after?: string): SessionFilter {
  const username = user ?? (who === "guests" ? UNAUTHENTICATED : who === "signed-in" ? isUser : undefined);
  return {
    ...(username === undefined ? {} : { username }),
    ...(project === undefined ? {} : { project }),
    ...(scope === undefined ? {} : { scope }),
    ...(after === undefined ? {} : { after }),
    live,
    limit: PAGE_SIZE,
  };
}

function idOf({ id }: SessionInfo): string {
  return id;
}

function isUser(username: string): boolean {
  return username !== UNAUTHENTICATED;
}
