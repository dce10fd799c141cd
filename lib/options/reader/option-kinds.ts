import { inspect } from "node:util";
import { isClass } from "../../record/shown-text";
import { isPlainObject } from "./plain-object";
import type { ReadOption } from "./read-options";
import { refuse } from "./refused-options";

/** The longest time that a timer of Node's can wait. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** One of these values; undefined where none was given and there is no default. */
export function oneOf<T>(option: string, value: unknown, allowed: readonly T[]): T {
  const found = allowed.find((one) => one === value);
  if (found === undefined && value !== undefined) {
    return refuse(option, value, `it is one of ${allowed.map((one) => inspect(one)).join(", ")}`);
  }
  return found as T;
}

export function aBoolean(byDefault: boolean): ReadOption<boolean> {
  return (value = byDefault, option) =>
    typeof value === "boolean" ? value : refuse(option, value, "it is true or false");
}

/** A function; `takes` tells what it is called with. */
export function aFunction<T>(takes: string, byDefault: T): ReadOption<T> {
  return (value = byDefault, option) =>
    typeof value === "function" || value === byDefault
      ? (value as T)
      : refuse(option, value, `give a function of ${takes}`);
}

export function stringList(byDefault: readonly string[]): ReadOption<readonly string[]> {
  return (value = byDefault, option) =>
    Array.isArray(value) && value.every((one) => typeof one === "string")
      ? [...value]
      : refuse(option, value, "give an array of strings");
}

/** An object with fields of its own; what is in it is for others to check. */
export function anObject(example: string): ReadOption<Readonly<Record<string, unknown>> | undefined> {
  return (value, option) =>
    value === undefined || isPlainObject(value) ? value : refuse(option, value, `give an object such as ${example}`);
}

/** A text that `isRight`. */
export function aText(byDefault: string, isRight: (text: string) => boolean, instead: string): ReadOption<string> {
  return (value = byDefault, option) =>
    typeof value === "string" && isRight(value) ? value : refuse(option, value, instead);
}

/** The same without a default. */
export function aTextOrNone(isRight: (text: string) => boolean, instead: string): ReadOption<string | undefined> {
  return (value, option) =>
    value === undefined || (typeof value === "string" && isRight(value)) ? value : refuse(option, value, instead);
}

/** What to write for an object of a class: an instance, where the class itself was given. */
export function instanceOr(given: unknown, instead: string): string {
  return isClass(given) ? "give an instance of it, made with new" : instead;
}
