import { GUEST_USER, UNAUTHENTICATED } from "../record/session-record";
import type { CommandArguments } from "./command-arguments";
import { UsageError } from "./usage-error";

/** The `--user` as `SessionInfo` has it. An empty one, as of an unset variable, is refused rather than taken for everybody. */
export function usernameArgument(args: CommandArguments): string | undefined {
  const user = args.text("user");
  if (user === "") throw new UsageError("--user takes a user id, and an empty text is none.");
  return user === GUEST_USER ? UNAUTHENTICATED : user;
}
