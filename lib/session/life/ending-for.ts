import { GUEST_USER } from "../../record/session-record";
import type { Ending, EndReason } from "../../record/session-record";

/**
 * How long a request may still carry the token of a session that was replaced, in milliseconds: such a request (a poll that was
 * under way during the login) must not start a session, or its cookie would sign the user out.
 */
export const REPLACED_GRACE_MS = 60_000;

const REPLACING: ReadonlySet<EndReason> = new Set<EndReason>(["login", "logout", "reset"]);

/** Whether a session that ended for this reason has a successor in the same browser. */
export function wasReplaced(reason: EndReason): boolean {
  return REPLACING.has(reason);
}

/** An ending as of now, by this user; by nobody in particular where that is null or a guest. A replaced session is remembered for a minute at least, whatever `keepEnded` says. */
export function endingFor(
  { now, keepEndedMs }: { readonly now: () => number; readonly keepEndedMs: number },
  reason: EndReason,
  by: string | null,
): Ending {
  const endedAt = now();
  const keepMs = wasReplaced(reason) ? Math.max(keepEndedMs, REPLACED_GRACE_MS) : keepEndedMs;
  return { endedAt, reason, endedBy: by === GUEST_USER ? null : by, purgeAt: endedAt + keepMs };
}
