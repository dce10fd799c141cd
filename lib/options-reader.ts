import { inspect } from "node:util";
import { SessionError } from "./errors";
import { MAX_DURATION_MS, durationMs } from "./record/duration";

/** Refuses an option: names it, echoes the value, and says what to write instead. */
export function refuse(option: string, value: unknown, instead: string): never {
  throw new SessionError("SESSION_CONFIG", `Option ${option} can't be ${inspect(value, { depth: 0 })}; ${instead}.`);
}

/** Refuses names that are no options, and says which one may have been meant; and `null`, which is not "the default". */
export function assertKnown(given: object, known: readonly string[], where: string): void {
  for (const [name, value] of Object.entries(given) as [string, unknown][]) {
    if (known.includes(name)) {
      if (value === null) refuse(where + name, value, "leave it out for the default");
      continue;
    }
    const meant = known.find((one) => isAlike(one, name));
    const hint = meant === undefined ? `the options are ${known.join(", ")}` : `did you mean ${where}${meant}?`;
    throw new SessionError("SESSION_CONFIG", `There is no option ${where}${name}; ${hint}`);
  }
}

/** A duration in milliseconds. Zero and `Infinity` only where they mean something; `max` in milliseconds. */
export function duration(
  option: string,
  value: unknown,
  allowed: { readonly zero?: boolean; readonly infinite?: boolean; readonly max?: number } = {},
): number {
  const instead = `give milliseconds as a number, or a string such as "30s", "15m" or "1h"`;
  const millis = durationMs(value);
  if (Number.isNaN(millis)) return refuse(option, value, instead);
  if (millis === Infinity && allowed.infinite !== true) return refuse(option, value, `it must be finite; ${instead}`);
  if (millis < 0 || (millis === 0 && allowed.zero !== true)) {
    return refuse(option, value, `it must be more than zero; ${instead}`);
  }
  const { max = MAX_DURATION_MS } = allowed;
  if (millis > max && millis !== Infinity) return refuse(option, value, `it may be ${max} ms; ${instead}`);
  return millis;
}

export function oneOf<T>(option: string, value: unknown, allowed: readonly T[]): T {
  const found = allowed.find((one) => one === value);
  if (found === undefined && value !== undefined) {
    return refuse(option, value, `it is one of ${allowed.map((one) => inspect(one)).join(", ")}`);
  }
  return found as T;
}

export function aBoolean(option: string, value: unknown): boolean {
  return typeof value === "boolean" ? value : refuse(option, value, "it is true or false");
}

export function aFunction<T>(option: string, value: T, takes: string): T {
  return typeof value === "function" ? value : refuse(option, value, `give a function of ${takes}`);
}

export function stringList(option: string, value: unknown): readonly string[] {
  if (Array.isArray(value) && value.every((one) => typeof one === "string")) return [...value];
  return refuse(option, value, "give an array of strings");
}

/** Whether two names differ in case, or in one letter more, less or other. */
function isAlike(known: string, given: string): boolean {
  const [a, b] = [known.toLowerCase(), given.toLowerCase()];
  if (Math.abs(a.length - b.length) > 1) return false;
  let start = 0;
  while (start < a.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < Math.min(a.length, b.length) - start && a.at(-1 - end) === b.at(-1 - end)) end += 1;
  return Math.max(a.length, b.length) - start - end <= 1;
}
