import { GUEST_USER } from "./session-record";
import type { SessionRecord } from "./session-record";

/** The sessions that a tally counts together. */
export interface SessionGroup {
  readonly project: string;
  readonly scope: string;
  /** Whether they belong to nobody. */
  readonly isGuest: boolean;
}

export function groupOf({ project, scope, owner }: Pick<SessionRecord, "project" | "scope" | "owner">): SessionGroup {
  return { project, scope, isGuest: owner === GUEST_USER };
}
