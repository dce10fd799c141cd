import { SessionError } from "../../../errors";

/** Attempts of a change before it is given up. */
export const ATTEMPTS = 24;
const BACKOFF_MS = 10;
const LONGEST_BACKOFF_MS = 320;

/** How long to wait before an attempt, in milliseconds, when so many before it lost against another change of the same record. */
export function backoffMs(conflicts: number): number {
  return Math.random() * Math.min(LONGEST_BACKOFF_MS, BACKOFF_MS * 2 ** conflicts);
}

export function conflictError(id: string): SessionError {
  return new SessionError(
    "SESSION_CONFLICT",
    `Session ${id} went on being changed by others, and this change was not made. Try it again.`,
  );
}
