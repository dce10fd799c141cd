import { AsyncLocalStorage } from "node:async_hooks";
import type { ForgottenFailure } from "../forgettable";
import type { Session } from "./session";

/** Whoever has a session for the code that runs now: a request, or a task. */
export interface SessionHolder {
  readonly session: Session | null;
  /** The user that `setUserContext` or `withUserContext` has set for it; undefined where that is the session's owner. */
  actingFor?: string;
  /** What was done in its scope has failed, and the app has not awaited it. Absent where nobody answers for that. */
  forgotten?(failure: ForgottenFailure): void;
  /** Makes what listens to the holder's own streams run in the scope that it was added in. */
  bindListeners?(): void;
}

/** Which session the running code belongs to, across awaits, timers and streams. */
export const currentHolder = new AsyncLocalStorage<SessionHolder>();

/** The session of the request, or of the task, that this code runs in; undefined outside of any. */
export function currentSession(): Session | undefined {
  return currentHolder.getStore()?.session ?? undefined;
}
