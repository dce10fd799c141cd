import { SessionError } from "../../../errors";
import { isProjectName, UNAUTHENTICATED } from "../../../record/session-record";
import { assertUserIdForm } from "../../../session/session-owner";
import { isSortKey } from "../../listing/sorted-listing";
import type { SortKey, SortedQuery } from "../../listing/sorted-listing";
import type { SessionSearch } from "../../listing/session-search";
import { COLUMN_NAMES, sortKeysOf } from "./list-columns";
import type { ColumnName } from "./list-columns";

/** What a listing shows, and how. All of it is in the address of its page. */
export interface ListQuery {
  /** The user whose page this is; none for the page of all sessions. */
  readonly user?: string;
  /** What a user, an id or an address begins with. */
  readonly search?: string;
  readonly who?: "guests" | "signed-in";
  /** `""` is the default project, which has no name. */
  readonly project?: string;
  readonly scope?: string;
  readonly live: boolean;
  readonly sort: SortKey;
  readonly isDescending: boolean;
  /** From 1 on. */
  readonly page: number;
  /** Where a listing goes on that looked at as many sessions as it may. */
  readonly after?: string;
  /** The columns to show; none for those that suit the sessions. */
  readonly columns?: readonly ColumnName[];
}

/** Stands for the project without a name; no project can have this one. */
export const NAMELESS = "(none)";
/** How many sessions a page has. */
export const PAGE_SIZE = 50;
const MAX_PAGE = 1_000;
const MAX_SCOPE_LENGTH = 64;
export const MAX_SEARCH_LENGTH = 1_024;
/** Is among the columns that were chosen, so that a choice of none is one. */
export const CHOSEN = "chosen";

/**
 * Reads a listing's query string. An empty field, as a form sends it, counts as absent. Throws `SESSION_ARGUMENT` for
 * what can't be a user id, project or scope, before any store is asked.
 */
export function readListQuery(fields: URLSearchParams, ofUser: boolean): ListQuery {
  const given = (name: string) => fields.get(name)?.trim() || undefined;
  // Not trimmed: a link to a user whose name begins with a space must find that user.
  const user = ofUser ? (fields.get("user") ?? "") : undefined;
  const [who, scope, search, after] = [given("who"), given("scope"), given("q"), given("after")];
  const project = given("project") === NAMELESS ? "" : given("project");
  if (user !== undefined) assertUserIdForm(user, "The console");
  if (!isProjectName(project ?? "") || (scope ?? "").length > MAX_SCOPE_LENGTH) {
    throw new SessionError("SESSION_ARGUMENT", "The console: no project or scope has such a name.");
  }
  if ((search ?? "").length > MAX_SEARCH_LENGTH) {
    throw new SessionError("SESSION_ARGUMENT", "The console: what is searched for is too long.");
  }
  const chosen = fields.getAll("show");
  const live = given("state") !== "ended";
  return {
    ...{ live, ...readSort(given("sort"), live), page: readPage(given("page")) },
    ...(user === undefined ? {} : { user }),
    ...(search === undefined ? {} : { search }),
    ...(who === "guests" || who === "signed-in" ? { who } : {}),
    ...(project === undefined ? {} : { project }),
    ...(scope === undefined ? {} : { scope }),
    ...(after === undefined ? {} : { after }),
    ...(chosen.length === 0 ? {} : { columns: COLUMN_NAMES.filter((name) => chosen.includes(name)) }),
  };
}

function readSort(text = "", live: boolean): Pick<ListQuery, "sort" | "isDescending"> {
  const isDescending = text.startsWith("-");
  const name = isDescending ? text.slice(1) : text;
  if (isSortKey(name) && sortKeysOf(live).includes(name)) return { sort: name, isDescending };
  return { sort: live ? "age" : "ended", isDescending: false };
}

function readPage(text = "1"): number {
  return /^\d{1,4}$/.test(text) ? Math.min(Math.max(Number(text), 1), MAX_PAGE) : 1;
}

/** A listing of the sessions of everyone, newest first. */
export const EVERYONE: ListQuery = { live: true, sort: "age", isDescending: false, page: 1 };

/** The address of a listing inside the console. */
export function listAddress(query: Partial<ListQuery>): string {
  const fields = new URLSearchParams(listFields(query)).toString();
  const path = query.user === undefined ? "/list" : "/user";
  return fields === "" ? path : `${path}?${fields}`;
}

/** The address of the file with all that a listing finds. */
export function exportAddress(query: ListQuery): string {
  const { user, search, who, project, scope, live } = query;
  const given = Object.entries({ user, search, who, project, scope }).filter(([, value]) => value !== undefined);
  const fields = new URLSearchParams(listFields({ ...Object.fromEntries(given), live })).toString();
  return fields === "" ? "/export.csv" : `/export.csv?${fields}`;
}

/** The fields of the query string; what is as by default is left out. */
export function listFields(query: Partial<ListQuery>): [string, string][] {
  const { user, search, who, project, scope, live = true, sort, isDescending = false, page = 1, after } = query;
  const isDefaultSort = sort === undefined || (sort === (live ? "age" : "ended") && !isDescending);
  const fields = {
    user,
    q: search,
    who,
    project: project === "" ? NAMELESS : project,
    scope,
    state: live ? undefined : "ended",
    sort: isDefaultSort ? undefined : (isDescending ? "-" : "") + sort,
    page: page === 1 ? undefined : String(page),
    after,
  };
  const given = Object.entries(fields).filter((field): field is [string, string] => field[1] !== undefined);
  const columns = query.columns === undefined ? [] : [CHOSEN, ...query.columns];
  return [...given, ...columns.map((name): [string, string] => ["show", name])];
}

/** What a listing searches for. */
export function searchOf({ user, search, who, project, scope, live, after }: ListQuery): SessionSearch {
  const username = user ?? (who === "guests" ? UNAUTHENTICATED : who === "signed-in" ? isUser : undefined);
  return {
    live,
    ...(search === undefined ? {} : { search }),
    ...(username === undefined ? {} : { username }),
    ...(project === undefined ? {} : { project }),
    ...(scope === undefined ? {} : { scope }),
    ...(after === undefined ? {} : { after }),
  };
}

/** What a page of a listing asks for. */
export function sortedQuery(query: ListQuery): SortedQuery {
  const { sort, isDescending, page } = query;
  return { ...searchOf(query), sort, isDescending, offset: (page - 1) * PAGE_SIZE, limit: PAGE_SIZE };
}

function isUser(username: string): boolean {
  return username !== UNAUTHENTICATED;
}
