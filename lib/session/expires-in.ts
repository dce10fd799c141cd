import { MAX_DURATION_MS, durationMs } from "../record/duration";
import { shownValue } from "../record/shown-text";

/**
 * How long something is to live, in milliseconds; `Infinity` for as long as its session. Zero, less, NaN and what is no duration are a
 * RangeError, whose `code` is `SESSION_ARGUMENT`: none of them may come to mean "for ever".
 */
export function expiresInMs(given: unknown): number {
  const millis = durationMs(given);
  if (millis === Infinity || (millis > 0 && millis <= MAX_DURATION_MS)) return millis;
  throw Object.assign(
    new RangeError(
      `expiresIn can't be ${shownValue(given)}; give milliseconds above zero, a string such as "10m", or Infinity for as long as the session lives.`,
    ),
    { code: "SESSION_ARGUMENT" as const },
  );
}
