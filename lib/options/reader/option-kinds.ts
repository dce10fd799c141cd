import { inspect } from "node:util";
import { durationMs, MAX_DURATION_MS, MAX_TIMER_MS } from "../../record/duration";
import type { Duration } from "../../record/duration";
import { isClass } from "../../record/shown-text";
import { isPlainObject, refuse, RefusedOptions } from "./read-options";
import type { ReadOption } from "./read-options";

/** One of these values. */
export function aChoice<T>(allowed: readonly T[], byDefault: T): ReadOption<T> {
  return (value = byDefault, option) => oneOf(option, value, allowed);
}

/** One of these values, or undefined. */
export function aChoiceOrNone<T>(allowed: readonly T[]): ReadOption<T | undefined> {
  return (value, option) => (value === undefined ? undefined : oneOf(option, value, allowed));
}

export function aBoolean(byDefault: boolean): ReadOption<boolean> {
  return (value = byDefault, option) =>
    typeof value === "boolean" ? value : refuse(option, value, "it is true or false");
}

/** A whole number of at least `min`, or the default; `instead` says what to give. */
export function aWholeNumber(byDefault: number, min: number, instead: string): ReadOption<number> {
  return (value = byDefault, option) =>
    value === byDefault || (Number.isSafeInteger(value) && (value as number) >= min)
      ? (value as number)
      : refuse(option, value, instead);
}

/** A function; `takes` says what it is called with. */
export function aFunction<T>(takes: string, byDefault: T): ReadOption<T> {
  return (value = byDefault, option) =>
    typeof value === "function" || value === byDefault
      ? (value as T)
      : refuse(option, value, `give a function of ${takes}`);
}

/** The machine's clock. `Date` is looked up at each call, so that a test may fake it when the app is made already. */
const machineClock = () => Date.now();

/** A clock, for tests: returns milliseconds since the epoch. */
export const aClock: ReadOption<() => number> = aFunction("no arguments that returns milliseconds", machineClock);

export function stringList(byDefault: readonly string[]): ReadOption<readonly string[]> {
  return (value = byDefault, option) =>
    Array.isArray(value) && value.every((one) => typeof one === "string")
      ? [...value]
      : refuse(option, value, "give an array of strings");
}

/** An object with fields of its own, which are checked elsewhere. */
export function anObject(example: string): ReadOption<Readonly<Record<string, unknown>> | undefined> {
  return (value, option) =>
    value === undefined || isPlainObject(value) ? value : refuse(option, value, `give an object such as ${example}`);
}

/** A string that `isRight`. */
export function aText(byDefault: string, isRight: (text: string) => boolean, instead: string): ReadOption<string> {
  return (value = byDefault, option) =>
    typeof value === "string" && isRight(value) ? value : refuse(option, value, instead);
}

/** A string that `isRight`, or undefined. */
export function aTextOrNone(isRight: (text: string) => boolean, instead: string): ReadOption<string | undefined> {
  return (value, option) =>
    value === undefined || (typeof value === "string" && isRight(value)) ? value : refuse(option, value, instead);
}

/**
 * What to write in place of `given` where an object of a class is wanted: an instance, where the class itself was
 * given.
 */
export function instanceOr(given: unknown, instead: string): string {
  return isClass(given) ? "give an instance of it, made with new" : instead;
}

interface DurationRange {
  /** Whether 0 is allowed. Default false. */
  readonly zero?: boolean;
  /** Whether `Infinity` is allowed. Default false. */
  readonly infinite?: boolean;
  /** The longest, in milliseconds. Default a hundred years. */
  readonly max?: number;
  /** A number below this was probably meant as seconds. In milliseconds; default ten seconds. */
  readonly likelyMs?: number;
}

/** A duration, read as milliseconds. */
export function aDuration(byDefault: Duration, range: DurationRange = {}): ReadOption<number> {
  return (value = byDefault, option) => durationIn(range, value, option);
}

/** A duration whose default follows from other options: undefined where it was not given. */
export function aDurationOrNone(range: DurationRange = {}): ReadOption<number | undefined> {
  return (value, option) => (value === undefined ? undefined : durationIn(range, value, option));
}

/** A number of milliseconds that a timer can wait. */
export function milliseconds(byDefault: number): ReadOption<number> {
  return (value = byDefault, option) =>
    typeof value === "number" && value > 0 && value <= MAX_TIMER_MS
      ? value
      : refuse(option, value, "write a number of milliseconds");
}

const DURATION = `give milliseconds as a number, or a string such as "30s", "15m" or "1h"`;

function durationIn(range: DurationRange, value: unknown, option: string): number {
  const { zero = false, infinite = false, max = MAX_DURATION_MS, likelyMs = 10_000 } = range;
  const millis = durationMs(value);
  if (Number.isNaN(millis)) return refuse(option, value, DURATION);
  if (millis === Infinity && !infinite) return refuse(option, value, `it must be finite; ${DURATION}`);
  if (millis < 0 || (millis === 0 && !zero)) return refuse(option, value, `it must be more than zero; ${DURATION}`);
  if (millis > max && millis !== Infinity) return refuse(option, value, `it may be at most ${max} ms; ${DURATION}`);
  if (typeof value === "number" && millis > 0 && millis < likelyMs) assertMilliseconds(option, value);
  return millis;
}

/** The options that a warning named: once per process is enough. */
const warnedOf = new Set<string>();

/** express-session's stores take seconds, and a session of 1,800 milliseconds looks like one that was lost. */
function assertMilliseconds(option: string, value: number): void {
  const instead = `a number is milliseconds, so write "${value}s" for seconds, or "${value}ms" if you mean it`;
  if (process.env.NODE_ENV === "production") refuse(option, value, instead);
  if (warnedOf.has(option)) return;
  warnedOf.add(option);
  process.emitWarning(`Option ${option} is ${value}; ${instead}. In production it is refused.`, "CoatcheckWarning");
}

function oneOf<T>(option: string, value: unknown, allowed: readonly T[]): T {
  const found = allowed.find((one) => one === value);
  return found ?? refuse(option, value, `it is one of ${allowed.map((one) => inspect(one)).join(", ")}`);
}

/** The address of a server, in one of these schemes. What was given is not repeated: it may hold a password anywhere. */
export function anAddressOrNone(schemes: readonly string[], instead: string): ReadOption<string | undefined> {
  return (value, option) => {
    if (value === undefined) return undefined;
    const isRight = typeof value === "string" && schemes.some((scheme) => value.startsWith(`${scheme}://`));
    if (isRight && URL.canParse(value)) return value;
    throw new RefusedOptions([`Option ${option} is not the address of a server; ${instead}.`]);
  };
}
