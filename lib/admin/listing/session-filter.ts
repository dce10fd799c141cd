import { SessionError } from "../../errors";
import { assertCallOptions } from "../../options/reader/read-options";
import { GUEST_USER, UNAUTHENTICATED } from "../../record/session-record";
import type { FindQuery } from "../../stores/store";
import type { StoredSessionInfo } from "./session-info";

/** A field must equal a string, or be accepted by a pattern or a function. */
export type Match = string | RegExp | ((value: string) => boolean);

/** Which sessions `getSessionInfo` lists: those that match all fields. */
export interface SessionFilter {
  /** A user id, or `"Unauthenticated"`. A string is looked up by index, without reading other users' sessions. */
  readonly username?: Match;
  /** The name of the app; `""` for an app without a name. */
  readonly project?: Match;
  /** `browser`, `clientless`, or what the app's option `scope` returns. */
  readonly scope?: Match;
  /** Default true; false lists sessions that are over, for as long as `keepEnded` keeps them. */
  readonly live?: boolean;
  /**
   * The longest page; default all. Where few sessions match and no index finds them, a page ends after about 5,000
   * records were read: it may be shorter, or empty, and still have a `next`.
   */
  readonly limit?: number;
  /** The `next` of the previous page. */
  readonly after?: string;
}

/** The fields of a filter that one session is compared with. */
export type SessionMatch = Pick<SessionFilter, "username" | "project" | "scope">;

const MATCHES = ["username", "project", "scope"];
const NAMES = [...MATCHES, "live", "limit", "after"];

/** The part of a filter that the store can look up. */
export function queryFor(filter: SessionMatch): Omit<FindQuery, "state"> {
  const { username, project, scope } = filter;
  return {
    ...(typeof username === "string" ? { owner: ownerOfUsername(username) } : undefined),
    ...(typeof project === "string" ? { project } : undefined),
    ...(typeof scope === "string" ? { scope } : undefined),
  };
}

/** The owner, as records have it, of a username, as `SessionInfo` has it. */
export function ownerOfUsername(username: string): string {
  return username === UNAUTHENTICATED ? GUEST_USER : username;
}

/** Whether a session matches the filter. */
export function passes(
  info: Pick<StoredSessionInfo, "username" | "project" | "sessionScope">,
  filter: SessionMatch,
): boolean {
  return (
    accepts(filter.username, info.username) &&
    accepts(filter.project, info.project) &&
    accepts(filter.scope, info.sessionScope)
  );
}

/** Throws `SESSION_ARGUMENT` for anything but a filter. */
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

function accepts(match: Match | undefined, value: string): boolean {
  if (match === undefined) return true;
  if (typeof match === "string") return value === match;
  // A RegExp with the g or y flag remembers where it stopped; search does not.
  return typeof match === "function" ? match(value) : value.search(match) >= 0;
}
