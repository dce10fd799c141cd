import { SessionError } from "../errors";
import { durationMs } from "../record/duration";
import { shownValue } from "../record/shown-text";

/** A duration that a call was given, in milliseconds: `least` at least, `most` or `Infinity` at most. `SESSION_ARGUMENT`. */
export function durationArgument(name: string, value: unknown, least = 0, most = Infinity): number {
  const millis = durationMs(value);
  if (millis >= least && (millis <= most || millis === Infinity)) return millis;
  const limit = most < Infinity ? `, ${most} at most` : "";
  throw new SessionError(
    "SESSION_ARGUMENT",
    `${name} can't be ${shownValue(value)}; give milliseconds as a number (${least} or more${limit}), or a string such as "30s" or "15m"; leave it out for no limit.`,
  );
}
