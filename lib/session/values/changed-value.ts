import { types } from "node:util";
import { SessionError } from "../../errors";
import { quoted } from "../../record/shown-text";
import { assertKey } from "./session-key";

/** Refuses what `update` can't work with: `SESSION_ARGUMENT`. */
export function assertUpdate(key: string, change: unknown): void {
  assertKey(key);
  if (typeof change === "function") return;
  throw new SessionError("SESSION_ARGUMENT", `update(${quoted(key)}, …) takes a function as its second argument.`);
}

/** What the function given to `update` makes of a value. Nothing, or a promise, is refused: it was hardly meant to be stored. */
export function changedValue(key: string, change: (value: unknown) => unknown, before: unknown): unknown {
  const after = change(before);
  if (after !== undefined && !types.isPromise(after)) return after;
  const what = after === undefined ? "undefined" : "a promise";
  throw new SessionError(
    "SESSION_ARGUMENT",
    `update(${quoted(key)}, …): the function returned ${what}; return the new value itself.`,
  );
}
