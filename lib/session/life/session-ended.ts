import { SessionError } from "../../errors";
import { GUEST_USER, isEnded } from "../../record/session-record";
import type { Ending, EndReason } from "../../record/session-record";
import type { SessionPolicy } from "./session-policy";

/**
 * How long a request may still carry the token of a session that was replaced, in milliseconds: such a request (a poll
 * that was under way during the login) must not start a session, or its cookie would sign the user out.
 */
export const REPLACED_GRACE_MS = 60_000;

const REPLACING: ReadonlySet<EndReason> = new Set<EndReason>(["login", "logout", "reset"]);

/**
 * An ending as of now, by this user; by nobody in particular where that is null or a guest. A replaced session is
 * remembered for at least a minute, whatever `keepEnded` says.
 */
export function endingFor(
  { now, keepEndedMs }: Pick<SessionPolicy, "now" | "keepEndedMs">,
  reason: EndReason,
  by: string | null,
): Ending {
  const endedAt = now();
  const keepMs = REPLACING.has(reason) ? Math.max(keepEndedMs, REPLACED_GRACE_MS) : keepEndedMs;
  return { endedAt, reason, endedBy: by === GUEST_USER ? null : by, purgeAt: endedAt + keepMs };
}

/** Whether the session of this id was replaced a moment ago: it has a successor in the same browser. */
export async function wasReplaced(
  { writer, now }: Pick<SessionPolicy, "writer" | "now">,
  id: string,
): Promise<boolean> {
  const replacedAt = await whenReplaced(writer, id);
  return replacedAt !== undefined && now() - replacedAt <= REPLACED_GRACE_MS;
}

/**
 * When the session of this id was replaced, in milliseconds since the epoch by the clock of the instance that did it;
 * undefined where it was not.
 */
export async function whenReplaced(
  store: Pick<SessionPolicy["writer"], "find">,
  id: string,
): Promise<number | undefined> {
  for await (const record of store.find({ state: "ended", id })) {
    if (isEnded(record) && REPLACING.has(record.reason)) return record.endedAt;
  }
  return undefined;
}

/**
 * What an app, and so perhaps its user, reads where a session has ended: the messages of `SESSION_ENDED` in a request.
 */
const MESSAGES = {
  meanwhile: "The session was ended while this request worked with it; nothing was saved. Sign in again.",
  destroyed:
    "The session was destroyed in this request; to go on with an empty one, call reset() instead of destroy().",
  setToNull: "req.session was set to null in this request, so it has no security keys.",
  replaced:
    "This request carries the cookie of a session that was replaced a moment ago, so nothing was saved; send it again.",
  killed: "The session was ended a moment ago, so nothing was saved; sign in again.",
  notInStore:
    "There is no session with this id any more, and a session store starts none. For the sessions of a library itself, " +
    'give expressSessionStore({ library: "its name" }).',
} as const;

export function sessionEnded(how: keyof typeof MESSAGES): SessionError {
  return new SessionError("SESSION_ENDED", MESSAGES[how]);
}
