import { SessionError } from "../../errors";
import { isSessionId } from "../../record/token";

/** Where a listing looks: among live records, among ended ones, or among live ones that nothing has cleared since they expired. */
export type ListedState = "live" | "ended" | "expired";

/** How far a listing has come. */
export interface SessionCursor {
  readonly state: ListedState;
  /** The id that was seen last. */
  readonly id: string;
}

/** A cursor as an app hands it on. */
export function cursorText({ state, id }: SessionCursor): string {
  return `${state}.${id}`;
}

/** Reads a cursor of a listing that goes through these states: `SESSION_ARGUMENT` for anything else. */
export function readCursor(text: string, states: readonly ListedState[]): SessionCursor {
  const [name, id, rest] = text.split(".", 3);
  const state = states.find((one) => one === name);
  if (state !== undefined && isSessionId(id) && rest === undefined) return { state, id };
  throw new SessionError(
    "SESSION_ARGUMENT",
    "getSessionInfo: after must be the `next` of a page with the same `live`; leave it out for the first page.",
  );
}
