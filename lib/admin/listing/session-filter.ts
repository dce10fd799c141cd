import { SessionError } from "../../errors";
import { assertCallOptions } from "../../options/reader/read-options";
import { GUEST_USER, UNAUTHENTICATED } from "../../record/session-record";
import type { FindQuery } from "../../stores/store";
import type { StoredSessionInfo } from "./session-info";

/** What a field must be: exactly this, or what the pattern or the function accepts. */
export type Match = string | RegExp | ((value: string) => boolean);

/** Which sessions `getSessionInfo` lists; the fields are combined with "and". */
export interface SessionFilter {
  /** A user id, or `"Unauthenticated"`. An exact one is looked up by index, and reads no other user's sessions. */
  readonly username?: Match;
  readonly project?: Match;
  /** Where it runs: `browser`, `clientless`, or what the app's `scope` says. */
  readonly scope?: Match;
  /** Default true; false lists those that are over, as long as they are remembered (`keepEnded`). */
  readonly live?: boolean;
  /**
   * The most that are answered; default all. Where few of many match, and no index finds them, a page may be shorter, or empty, and still
   * have a `next`: it ends after some 5,000 that were looked at.
   */
  readonly limit?: number;
  /** The `next` of the page before. */
  readonly after?: string;
}

/** Those parts of a filter that one session can be held against. */
export type SessionMatch = Pick<SessionFilter, "username" | "project" | "scope">;

const MATCHES = ["username", "project", "scope"];
const NAMES = [...MATCHES, "live", "limit", "after"];

/** What the store can look up of a filter. */
export function queryFor(filter: SessionMatch): Omit<FindQuery, "state"> {
  const { username, project, scope } = filter;
  return {
    ...(typeof username === "string" ? { owner: ownerOfUsername(username) } : undefined),
    ...(typeof project === "string" ? { project } : undefined),
    ...(typeof scope === "string" ? { scope } : undefined),
  };
}

/** The owner in the records of whom `SessionInfo` calls so. */
export function ownerOfUsername(username: string): string {
  return username === UNAUTHENTICATED ? GUEST_USER : username;
}

/** Whether a session passes the filter. */
export function passes(
  info: Pick<StoredSessionInfo, "username" | "project" | "sessionScope">,
  filter: SessionMatch,
): boolean {
  return (
    matches(info.username, filter.username) &&
    matches(info.project, filter.project) &&
    matches(info.sessionScope, filter.scope)
  );
}

/** Refuses what is no filter: `SESSION_ARGUMENT`. */
export function assertFilter(filter: unknown): asserts filter is SessionFilter {
  const notAnObject = 'getSessionInfo: takes an object such as { username: "alice" }.';
  assertCallOptions(filter, NAMES, "getSessionInfo", notAnObject);
  for (const [name, value] of Object.entries(filter)) {
    if (value !== undefined) assertPart(name, value);
  }
}

function assertPart(name: string, value: unknown): void {
  if (name === "live") {
    if (typeof value !== "boolean") throw wrong("live must be true or false.");
  } else if (name === "limit") {
    if (!Number.isSafeInteger(value) || (value as number) < 1) throw wrong("limit must be a whole number, 1 or more.");
  } else if (name === "after") {
    if (typeof value !== "string") throw wrong("after must be the `next` of another page.");
  } else if (typeof value !== "string" && typeof value !== "function" && !(value instanceof RegExp)) {
    throw wrong(`${name} must be a string, a RegExp or a function.`);
  }
}

function wrong(what: string): SessionError {
  return new SessionError("SESSION_ARGUMENT", `getSessionInfo: ${what}`);
}

function matches(value: string, match: Match | undefined): boolean {
  if (match === undefined) return true;
  if (typeof match === "string") return value === match;
  // A RegExp with the g or y flag remembers where it stopped; search does not.
  return typeof match === "function" ? match(value) : value.search(match) >= 0;
}
