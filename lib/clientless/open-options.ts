import { SessionError } from "../errors";
import { assertCallOptions } from "../options/reader/read-options";
import { durationArgument } from "../record/duration";
import type { Duration } from "../record/duration";
import { isProjectName } from "../record/session-record";
import { shownValue } from "../record/shown-text";
import { userId } from "../session/session-owner";

/** How a clientless session is opened. */
export interface OpenOptions {
  /** The app that the session belongs to, where several share a store. Default: the option `project`. */
  readonly project?: string;
  /** The longest time that it lives, from now. Default: until it is closed. */
  readonly maxAge?: Duration;
  /** Its first data. */
  readonly data?: Readonly<Record<string, unknown>>;
}

/** The options and the user, checked. */
export interface Opening {
  readonly user: string;
  readonly project: string | undefined;
  readonly maxAgeMs: number;
  readonly data: Readonly<Record<string, unknown>>;
}

const OPTIONS: readonly string[] = ["project", "maxAge", "data"];

/** `SESSION_ARGUMENT` names what is wrong. `more` are options that are for others to read. */
export function opening(where: string, user: unknown, options: unknown = {}, more: readonly string[] = []): Opening {
  const owner = userId(user, where);
  const notAnObject = `${where}: the options are an object such as { maxAge: "1h" }, or nothing.`;
  assertCallOptions(options, [...OPTIONS, ...more], where, notAnObject);
  const { project, maxAge = Infinity, data = {} } = options;
  if (project !== undefined && !isProjectName(project)) {
    throw new SessionError(
      "SESSION_ARGUMENT",
      `${where}: project can't be ${shownValue(project)}; give up to 64 letters, digits, '-', '_' and '.'.`,
    );
  }
  // The entries of a Map would be lost, and so would a Date or an array.
  if (Object.prototype.toString.call(data) !== "[object Object]") {
    throw new SessionError("SESSION_ARGUMENT", `${where}: data is an object such as { month: "2026-05" }.`);
  }
  return { user: owner, project, maxAgeMs: durationArgument("maxAge", maxAge, 1), data: { ...(data as object) } };
}
