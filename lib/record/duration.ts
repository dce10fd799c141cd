import ms from "ms";
import type { StringValue } from "ms";

/** A length of time: milliseconds, or a string as the `ms` package reads it (`"90s"`, `"1h"`, `"30d"`). */
export type Duration = number | StringValue;

/** The longest duration: a hundred years, in milliseconds. What ends later than that is meant to have no end. */
export const MAX_DURATION_MS = 100 * 365.25 * 24 * 60 * 60 * 1000;

/** The longest time that one of Node's timers can wait, in milliseconds. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** A duration in milliseconds, of any sign and size; NaN for what is none. */
export function durationMs(given: unknown): number {
  if (typeof given === "number") return given;
  // On an empty or a very long text ms would throw; what it can't read it makes undefined.
  if (typeof given !== "string" || given === "" || given.length > 100) return NaN;
  const millis: unknown = ms(given as StringValue);
  return typeof millis === "number" ? millis : NaN;
}
