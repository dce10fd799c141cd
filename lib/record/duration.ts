import ms from "ms";
import type { StringValue } from "ms";
import { SessionError } from "../errors";
import { shownValue } from "./shown-text";

/** The units of the `ms` package. */
type Unit =
  | ("years" | "year" | "yrs" | "yr" | "y")
  | ("weeks" | "week" | "w")
  | ("days" | "day" | "d")
  | ("hours" | "hour" | "hrs" | "hr" | "h")
  | ("minutes" | "minute" | "mins" | "min" | "m")
  | ("seconds" | "second" | "secs" | "sec" | "s")
  | ("milliseconds" | "millisecond" | "msecs" | "msec" | "ms");
type UnitAnyCase = Unit | Capitalize<Unit> | Uppercase<Unit>;

// Ours, and not that of @types/ms, which every app would have to install for it.
/** A length of time: milliseconds, or a string as the `ms` package reads it (`"90s"`, `"1h"`, `"30d"`). */
export type Duration = number | `${number}` | `${number}${UnitAnyCase}` | `${number} ${UnitAnyCase}`;

/** The longest duration: a hundred years, in milliseconds. Anything longer should be `Infinity`. */
export const MAX_DURATION_MS = 100 * 365.25 * 24 * 60 * 60 * 1000;

/** The longest time that one of Node's timers can wait, in milliseconds. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Settles as `work` does, or, where that takes longer than `timeoutMs`, as `onTimeout` does: it returns the value, or
 * throws the error. `timeoutMs` is at most `MAX_TIMER_MS`.
 */
export async function within<T, L>(timeoutMs: number, work: Promise<T>, onTimeout: () => L): Promise<T | L> {
  let timer: NodeJS.Timeout | undefined;
  const timedOut = new Promise<L>((resolve, reject) => {
    timer = setTimeout(() => {
      try {
        resolve(onTimeout());
      } catch (error: unknown) {
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- it is the error of the caller
        reject(error);
      }
    }, timeoutMs);
  });
  try {
    return await Promise.race([work, timedOut]);
  } finally {
    clearTimeout(timer);
  }
}

/** A duration in milliseconds, of any sign and size; NaN for anything that is no duration. */
export function durationMs(given: unknown): number {
  if (typeof given === "number") return given;
  // ms throws for an empty or a very long text, and returns undefined for any other that it can't read.
  if (typeof given !== "string" || given === "" || given.length > 100) return NaN;
  const millis: unknown = ms(given as StringValue);
  return typeof millis === "number" ? millis : NaN;
}

/**
 * A duration that a call was given, in milliseconds: from `least` to `most`, or `Infinity`. Throws `SESSION_ARGUMENT`.
 */
export function durationArgument(name: string, value: unknown, least = 0, most = Infinity): number {
  const millis = durationMs(value);
  if (millis >= least && (millis <= most || millis === Infinity)) return millis;
  const limit = most < Infinity ? `, ${most} at most` : "";
  throw new SessionError(
    "SESSION_ARGUMENT",
    `${name} can't be ${shownValue(value)}; give milliseconds as a number (${least} or more${limit}), or a string such as "30s" or "15m"; leave it out for no limit.`,
  );
}

/**
 * How long something is to live, in milliseconds; `Infinity` for as long as its session. Zero, a negative number, NaN
 * and anything that is no duration throw a RangeError whose `code` is `SESSION_ARGUMENT`: none of them may come to mean
 * "for ever".
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
