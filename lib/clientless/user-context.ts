import { SessionError } from "../errors";
import { GUEST_USER } from "../record/session-record";
import { currentHolder } from "../session/current-session";
import type { SessionHolder } from "../session/current-session";
import type { Session } from "../session/session";
import { userId } from "../session/session-owner";

/**
 * The user for whom the running code acts: the one set by `setUserContext` in the same request, task or
 * `withUserContext`, or given to the innermost `withUserContext`; otherwise the owner of the request's or task's
 * session, `GUEST_USER` for nobody. Outside all of these it is undefined, so that a lost context is not taken for a
 * guest.
 */
export function getUserContext(): string | undefined {
  const context = currentHolder.getStore();
  if (context === undefined) return undefined;
  return context.actingFor ?? context.session?.owner ?? GUEST_USER;
}

/**
 * Lets the current request, task or `withUserContext` act for this user from now on, or for nobody (`GUEST_USER`).
 * Throws `SESSION_CONTEXT` outside all of these.
 */
export function setUserContext(user: string): void {
  const id = contextUser(user, "setUserContext(user)");
  const context = currentHolder.getStore();
  if (context === undefined) {
    throw new SessionError(
      "SESSION_CONTEXT",
      "setUserContext(user) was called outside a request, a task and withUserContext; use withUserContext(user, fn).",
    );
  }
  context.actingFor = id;
}

/** Runs `fn`, and everything that it starts, for this user, or for nobody (`GUEST_USER`). Returns what `fn` returns. */
export function withUserContext<T>(user: string, fn: () => T): T {
  const id = contextUser(user, "withUserContext(user, fn)");
  if (typeof fn !== "function") {
    throw new SessionError("SESSION_ARGUMENT", `withUserContext(user, fn) takes a function to run, not ${typeof fn}.`);
  }
  const around = currentHolder.getStore();
  around?.bindListeners?.();
  return currentHolder.run(new UserContext(id, around), fn);
}

function contextUser(user: unknown, where: string): string {
  return user === GUEST_USER ? user : userId(user, where);
}

/** The context of code inside `withUserContext`: it has the session of the context around it. */
class UserContext implements SessionHolder {
  actingFor: string;
  readonly around: SessionHolder | undefined;

  constructor(user: string, around: SessionHolder | undefined) {
    this.actingFor = user;
    this.around = around;
  }

  get session(): Session | null {
    return this.around?.session ?? null;
  }

  bindListeners(): void {
    this.around?.bindListeners?.();
  }
}

/** The request or task of the running code, whoever it acts for. */
export function enclosingContext(): SessionHolder | undefined {
  let context = currentHolder.getStore();
  while (context instanceof UserContext) context = context.around;
  return context;
}
