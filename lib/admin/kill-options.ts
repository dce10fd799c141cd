import { SessionError } from "../errors";
import { assertNames } from "../options/reader/assert-names";

/** How sessions are ended from outside. */
export interface KillOptions {
  /** What their user may read about it; see `Sessions.endedNotice`. Up to 500 characters. */
  readonly message?: string;
}

const MAX_MESSAGE_LENGTH = 500;

/** The message as it is stored; undefined for none. `SESSION_ARGUMENT` for what is none. `more` are options that are for others to read. */
export function messageOf(options: KillOptions, where: string, more: readonly string[] = []): string | undefined {
  const { message } = readable(options, where, more);
  if (message === undefined || message === "") return undefined;
  if (typeof message === "string" && message.isWellFormed() && message.length <= MAX_MESSAGE_LENGTH) return message;
  throw new SessionError(
    "SESSION_ARGUMENT",
    `${where}: the message must be a text of up to ${MAX_MESSAGE_LENGTH} characters, not ${
      typeof message === "string" ? `one of ${message.length}` : typeof message
    }.`,
  );
}

function readable(options: unknown, where: string, more: readonly string[]): { readonly message?: unknown } {
  if (typeof options === "object" && options !== null) {
    assertNames(options, ["message", ...more], where);
    return options;
  }
  throw new SessionError("SESSION_ARGUMENT", `${where} takes options such as { message: "Please sign in again." }.`);
}
