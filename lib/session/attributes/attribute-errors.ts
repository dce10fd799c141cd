import { SessionError } from "../../errors";
import { quoted } from "../../record/shown-text";

/** How many names a message lists. */
const MAX_LISTED = 10;

/** Throws `ATTRIBUTE_EXISTS` where one of these names is among those that are there. */
export function assertNoneExists(names: readonly string[], there: Readonly<Record<string, unknown>>): void {
  const existing = names.filter((name) => there[name] !== undefined);
  if (existing.length === 0) return;
  throw new SessionError(
    "ATTRIBUTE_EXISTS",
    `The session has ${list(existing)} already; use set to replace what is there.`,
  );
}

/** Throws `ATTRIBUTE_NOT_FOUND`, with the names of those that are not there. */
export function assertAllExist(names: readonly string[], there: Readonly<Record<string, unknown>>): void {
  const missing = names.filter((name) => there[name] === undefined);
  if (missing.length === 0) return;
  throw new SessionError(
    "ATTRIBUTE_NOT_FOUND",
    `The session has no ${list(missing)}, or no more; use set to write what may be absent.`,
  );
}

function list(names: readonly string[]): string {
  const listed = names.slice(0, MAX_LISTED).map((name) => quoted(name));
  const more = names.length - listed.length;
  return `attribute ${listed.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
