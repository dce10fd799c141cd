import { SessionError } from "../errors";
import { assertCallOptions } from "../options/reader/read-options";

/** The options of a kill. */
export interface KillOptions {
  /** A message to the users, up to 500 characters; `Sessions.endedNotice` returns it. */
  readonly message?: string;
}

const MAX_MESSAGE_LENGTH = 500;

/**
 * The message as it is stored; undefined for none. Throws `SESSION_ARGUMENT`, naming the `call`, for anything but
 * options with a message. `more` are names of options that the caller reads.
 */
export function messageOf(options: unknown, call: string, more: readonly string[] = []): string | undefined {
  const notAnObject = `${call} takes options such as { message: "Please sign in again." }.`;
  assertCallOptions(options, ["message", ...more], call, notAnObject);
  const { message } = options;
  if (message === undefined || message === "") return undefined;
  if (typeof message === "string" && message.isWellFormed() && message.length <= MAX_MESSAGE_LENGTH) return message;
  throw new SessionError(
    "SESSION_ARGUMENT",
    `${call}: the message must be a text of up to ${MAX_MESSAGE_LENGTH} characters, not ${
      typeof message === "string" ? `one of ${message.length}` : typeof message
    }.`,
  );
}
