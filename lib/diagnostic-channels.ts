import { channel } from "node:diagnostics_channel";
import type { Channel } from "node:diagnostics_channel";
import { SessionError } from "./errors";
import type { SessionErrorCode } from "./errors";

/** What the messages of all channels of coatcheck have in common. None holds a token or a value. */
export interface DiagnosticMessage {
  /** The option `project` of the `Sessions` that did it; `""` for none. */
  readonly project: string;
  /** How long it took, in milliseconds, with fractions. */
  readonly durationMs: number;
  /** The code of the error, where the outcome is `"failed"` and the error is a `SessionError`; otherwise undefined. */
  readonly code: SessionErrorCode | undefined;
}

/** A message on `coatcheck:load`: a session was looked up by its id. */
export interface LoadMessage extends DiagnosticMessage {
  /** The id of the session. */
  readonly id: string;
  /** `"missing"`: there is none, or it was ended. `"expired"`: it is stored, and over. */
  readonly outcome: "found" | "expired" | "missing" | "failed";
}

/** A message on `coatcheck:save`: a session was written. */
export interface SaveMessage extends DiagnosticMessage {
  /** The id of the session; for a replacement, of the new one. */
  readonly id: string;
  /**
   * `"create"`: a new session. `"update"`: a change. `"touch"`: `lastSeenAt` and nothing of the app's. `"replace"`: a
   * new session in the place of an old one, as by a login.
   */
  readonly operation: "create" | "update" | "touch" | "replace";
  /**
   * `"ended"`: nothing was written, because the session, or the one to be replaced, was over. `"failed"`: the store
   * failed, or the change was refused, as when a function given to `update` throws.
   */
  readonly outcome: "saved" | "ended" | "failed";
}

/** A message on `coatcheck:kill`: sessions were ended from outside. */
export interface KillMessage extends DiagnosticMessage {
  /** Which sessions: one by its id, all of a user (or of guests), all of a user but one, or everyone's. */
  readonly target: "id" | "user" | "others" | "all";
  /** How many it ended; where it failed, how many until then. */
  readonly ended: number;
  /** `"failed"`: others may still be live. */
  readonly outcome: "done" | "failed";
}

/** A message on `coatcheck:clear`: records past their `purgeAt` were deleted. */
export interface ClearMessage extends DiagnosticMessage {
  /** How many records it deleted; where it failed, the last number that the store reported. */
  readonly cleared: number;
  /** `"failed"`: the rest stays until the next run. */
  readonly outcome: "done" | "failed";
}

/** Where each is published. Look at `hasSubscribers` before anything is done for a message. */
export const LOADS = channel("coatcheck:load");
export const SAVES = channel("coatcheck:save");
export const KILLS = channel("coatcheck:kill");
export const CLEARS = channel("coatcheck:clear");

/** What a message says of work that is done, or that failed. */
interface Outcomes<T> {
  readonly done: (result: T) => object;
  readonly failed?: (error: unknown) => object;
}

/**
 * Starts the work, publishes how it went, and returns its result as it came: with a promise or without one. It reads
 * the clock, so it is called only where the channel has subscribers. `begunAt` is by `performance.now()`.
 */
export function published<T>(
  to: Channel,
  facts: object,
  { done, failed }: Outcomes<T>,
  start: () => T | Promise<T>,
  begunAt = performance.now(),
): T | Promise<T> {
  const tell = (outcome: object) => {
    to.publish({ ...facts, code: undefined, ...outcome, durationMs: performance.now() - begunAt });
  };
  const refuse = (error: unknown): never => {
    const code = error instanceof SessionError ? error.code : undefined;
    tell({ outcome: "failed", code, ...failed?.(error) });
    throw error;
  };
  let result: T | Promise<T>;
  try {
    result = start();
  } catch (error) {
    return refuse(error);
  }
  if (!(result instanceof Promise)) {
    tell(done(result));
    return result;
  }
  return result.then((value) => {
    tell(done(value));
    return value;
  }, refuse);
}
