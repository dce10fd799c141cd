import { SessionError } from "../../../errors";
import { isProjectName, UNAUTHENTICATED } from "../../../record/session-record";
import { assertUserIdForm } from "../../../session/session-owner";
import type { SessionFilter } from "../../listing/session-filter";

/** What a listing is narrowed down to. */
export interface ListQuery {
  /** A user id; beside one, `who` says nothing. */
  readonly user?: string;
  readonly who?: "guests" | "signed-in";
  /** `""` is the project without a name. */
  readonly project?: string;
  readonly scope?: string;
  /** Default true. */
  readonly live?: boolean;
}

/** The project without a name, as no project can be called. */
export const NAMELESS = "(none)";
const PAGE_SIZE = 50;
const MAX_SCOPE_LENGTH = 64;

/**
 * Reads the address of a listing. An empty field, as a form sends it, asks for nothing. `SESSION_ARGUMENT` for what no user, project or scope
 * can be called: a store need not be asked for it.
 */
export function readListQuery(query: URLSearchParams): ListQuery {
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

/** The address of a listing, of its page after the cursor. */
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

/** What `SessionAdmin.list` is asked for. */
export function listFilter({ user, who, project, scope, live = true }: ListQuery, after?: string): SessionFilter {
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

function isUser(username: string): boolean {
  return username !== UNAUTHENTICATED;
}
