import { SessionError } from "../errors";
import { GUEST_USER } from "../record/session-record";
import type { FindQuery } from "../stores/store";
import { UNAUTHENTICATED } from "./session-info";
import type { SessionInfo } from "./session-info";

/** What a field must be: exactly this, or what the pattern or the function accepts. */
export type Match = string | RegExp | ((value: string) => boolean);

/** Which sessions `getSessionInfo` lists; both fields are combined with "and". */
export interface SessionFilter {
  /** A user id, or `"Unauthenticated"`. An exact one is looked up by index, and reads no other user's sessions. */
  readonly username?: Match;
  readonly project?: Match;
}

/** What the store can look up of a filter. */
export function queryFor(filter: SessionFilter): FindQuery {
  const { username, project } = filter;
  return {
    state: "live",
    ...(typeof username === "string" ? { owner: username === UNAUTHENTICATED ? GUEST_USER : username } : undefined),
    ...(typeof project === "string" ? { project } : undefined),
  };
}

/** Whether a session passes the filter. */
export function passes(info: SessionInfo, filter: SessionFilter): boolean {
  return matches(info.username, filter.username) && matches(info.project, filter.project);
}

/** Refuses what is no filter: `SESSION_ARGUMENT`. */
export function assertFilter(filter: unknown): asserts filter is SessionFilter {
  if (typeof filter !== "object" || filter === null) {
    throw new SessionError("SESSION_ARGUMENT", 'getSessionInfo takes an object such as { username: "alice" }.');
  }
  for (const [name, value] of Object.entries(filter)) {
    if (name !== "username" && name !== "project") {
      throw new SessionError(
        "SESSION_ARGUMENT",
        `getSessionInfo knows no filter "${name}", only username and project.`,
      );
    }
    if (value === undefined || typeof value === "string" || typeof value === "function" || value instanceof RegExp)
      continue;
    throw new SessionError("SESSION_ARGUMENT", `getSessionInfo: ${name} must be a string, a RegExp or a function.`);
  }
}

function matches(value: string, match: Match | undefined): boolean {
  if (match === undefined) return true;
  if (typeof match === "string") return value === match;
  // A RegExp with the g or y flag remembers where it stopped; search does not.
  return typeof match === "function" ? match(value) : value.search(match) >= 0;
}
