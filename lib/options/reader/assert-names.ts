import { SessionError } from "../../errors";
import { quoted } from "../../record/shown-text";
import { similarName } from "./similar-name";

/** Refuses options of a call that it does not have: `SESSION_ARGUMENT`. One that was misspelt would be none, in silence. */
export function assertNames(given: object, known: readonly string[], where: string): void {
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const meant = similarName(unknown, known);
  const hint = meant === undefined ? `it takes ${known.join(", ")}.` : `did you mean ${meant}?`;
  throw new SessionError("SESSION_ARGUMENT", `${where} has no option ${quoted(unknown)}; ${hint}`);
}
