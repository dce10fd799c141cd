import { currentHolder } from "../session/current-session";
import type { SessionHolder } from "../session/current-session";
import type { Session } from "../session/session";

/** What runs inside of `withUserContext`: it belongs to the same session as what is around it. */
export class UserScope implements SessionHolder {
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

/** The request or task that the running code belongs to, whoever it acts for. */
export function enclosingScope(): SessionHolder | undefined {
  let scope = currentHolder.getStore();
  while (scope instanceof UserScope) scope = scope.around;
  return scope;
}
