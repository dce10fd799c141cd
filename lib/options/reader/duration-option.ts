import { MAX_DURATION_MS, durationMs } from "../../record/duration";
import type { Duration } from "../../record/duration";
import type { ReadOption } from "./read-options";
import { refuse } from "./refused-options";

interface DurationRange {
  /** Whether zero means something. Default false. */
  readonly zero?: boolean;
  /** Whether `Infinity` does. Default false. */
  readonly infinite?: boolean;
  /** In milliseconds. */
  readonly max?: number;
  /** Below this, a number was probably meant as seconds. Default ten seconds, in milliseconds. */
  readonly likelyMs?: number;
}

const INSTEAD = `give milliseconds as a number, or a string such as "30s", "15m" or "1h"`;
const TEN_SECONDS = 10_000;
/** The options of which it was warned: once in a process is enough. */
const warnedOf = new Set<string>();

/** A duration, in milliseconds. */
export function aDuration(byDefault: Duration, range: DurationRange = {}): ReadOption<number> {
  return (value = byDefault, option) => durationIn(range, value, option);
}

/** The same, where the default follows from other options. */
export function aDurationOrNone(range: DurationRange = {}): ReadOption<number | undefined> {
  return (value, option) => (value === undefined ? undefined : durationIn(range, value, option));
}

function durationIn(range: DurationRange, value: unknown, option: string): number {
  const { zero = false, infinite = false, max = MAX_DURATION_MS, likelyMs = TEN_SECONDS } = range;
  const millis = durationMs(value);
  if (Number.isNaN(millis)) return refuse(option, value, INSTEAD);
  if (millis === Infinity && !infinite) return refuse(option, value, `it must be finite; ${INSTEAD}`);
  if (millis < 0 || (millis === 0 && !zero)) return refuse(option, value, `it must be more than zero; ${INSTEAD}`);
  if (millis > max && millis !== Infinity) return refuse(option, value, `it may be ${max} ms; ${INSTEAD}`);
  if (typeof value === "number" && millis > 0 && millis < likelyMs) assertMeant(option, value);
  return millis;
}

/** express-session's stores take seconds, and a session of 1,800 milliseconds looks like one that is lost. */
function assertMeant(option: string, value: number): void {
  const instead = `a number is milliseconds, so write "${value}s" for seconds, or "${value}ms" if you mean it`;
  if (process.env.NODE_ENV === "production") refuse(option, value, instead);
  if (warnedOf.has(option)) return;
  warnedOf.add(option);
  process.emitWarning(`Option ${option} is ${value}; ${instead}. In production it is refused.`, "CoatcheckWarning");
}
