import { AsyncLocalStorage } from "node:async_hooks";
import type { ForgottenFailure } from "../forgettable";
import type { Session } from "./session";

/** What has a session for the running code: a request, or a task. */
export interface SessionHolder {
  readonly session: Session | null;
  /** The user that `setUserContext` or `withUserContext` has set for it; undefined where none of them was called. */
  actingFor?: string;
  /** Takes a failure that the app has not awaited. Absent where there is no response that could fail with it. */
  forgotten?(failure: ForgottenFailure): void;
  /** Makes each listener of the holder's own streams run for the holder that it was added for. */
  bindListeners?(): void;
}

/** Which session the running code belongs to, across awaits, timers and streams. */
export const currentHolder = new AsyncLocalStorage<SessionHolder>();

/** The session of the request, or of the task, that this code runs in; undefined outside of any. */
export function currentSession(): Session | undefined {
  return currentHolder.getStore()?.session ?? undefined;
}
