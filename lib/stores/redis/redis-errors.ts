import { SessionError } from "../../errors";
import { shownText } from "../../record/shown-text";

/** Refusals of a node that pass, and prove that nothing was done; `ioredis` reports the last of several. */
const PASSING = /^(?:Too many Cluster redirections\. Last error: \w+: )?(?:TRYAGAIN|CLUSTERDOWN|LOADING|MOVED)\b/;

/** The message of an error that proves that a command was not sent. */
export const NO_CONNECTION = "there is no connection";

/** Whether the same command may succeed a little later, and certainly did nothing now. */
export function isPassing(error: unknown): boolean {
  const message = messageOf(error);
  return message === NO_CONNECTION || PASSING.test(message);
}

/** Whether the node does not know the script: it was restarted, or is another one. */
export function isUnknownScript(error: unknown): boolean {
  return messageOf(error).startsWith("NOSCRIPT");
}

/**
 * Whether a script failed because a key that it found by itself is not at this node, or only some are: their slot is
 * moving to another one.
 */
export function isOfMovingSlot(error: unknown): boolean {
  return /\b(?:non local key|TRYAGAIN|MOVED|ASK)\b/.test(messageOf(error));
}

/** The error of a client, without what it may hold: some have the command and its arguments. */
export function redisError(call: string, error: unknown): SessionError {
  if (error instanceof SessionError) return error;
  const reason = messageOf(error).replace(/,? with args[^]*/, "");
  return new SessionError("SESSION_STORE", `Redis failed at ${call}: ${shownText(reason)}.`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
