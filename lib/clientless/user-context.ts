import { SessionError } from "../errors";
import { GUEST_USER } from "../record/session-record";
import { currentHolder } from "../session/current-session";
import { userId } from "../session/session-owner";
import { UserScope } from "./user-scope";

/**
 * The user for whom the running code acts: of the innermost `withUserContext`, or what `setUserContext` has set since in the same request, task or
 * `withUserContext`; otherwise the owner of the request's or the task's session, `GUEST_USER` for nobody. Outside of any of them it is
 * undefined, so that a context that was lost is not taken for a guest.
 */
export function getUserContext(): string | undefined {
  const scope = currentHolder.getStore();
  if (scope === undefined) return undefined;
  return scope.actingFor ?? scope.session?.owner ?? GUEST_USER;
}

/**
 * From now on the current request, task or `withUserContext` acts for this user, or for nobody (`GUEST_USER`). Throws `SESSION_CONTEXT` outside of
 * any.
 */
export function setUserContext(user: string): void {
  const id = contextUser(user, "setUserContext(user)");
  const scope = currentHolder.getStore();
  if (scope === undefined) {
    throw new SessionError(
      "SESSION_CONTEXT",
      "setUserContext(user) was called outside of a request, a task and withUserContext; use withUserContext(user, fn).",
    );
  }
  scope.actingFor = id;
}

/** Runs `fn` for this user, or for nobody (`GUEST_USER`), with everything that it begins; answers what it returns. */
export function withUserContext<T>(user: string, fn: () => T): T {
  const id = contextUser(user, "withUserContext(user, fn)");
  if (typeof fn !== "function") {
    throw new SessionError("SESSION_ARGUMENT", `withUserContext(user, fn) takes a function to run, not ${typeof fn}.`);
  }
  const around = currentHolder.getStore();
  around?.bindListeners?.();
  return currentHolder.run(new UserScope(id, around), fn);
}

function contextUser(user: unknown, where: string): string {
  return user === GUEST_USER ? user : userId(user, where);
}
