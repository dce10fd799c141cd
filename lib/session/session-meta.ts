import type { SessionRecord } from "../record/session-record";

/** What is known of a session beside its data. */
export interface SessionMeta {
  readonly createdAt: Date;
  readonly lastSeenAt: Date;
  /** When it will be over if nobody comes back; null for never. */
  readonly expiresAt: Date | null;
  readonly project: string;
  readonly scope: string;
  /** Where the session was created from. */
  readonly remoteAddress: string;
  /** What created it, as the client called itself. */
  readonly userAgent: string;
}

/** The fields of a record that the app sees as `session.meta`. */
export type MetaFields = Pick<
  SessionRecord,
  "createdAt" | "lastSeenAt" | "expiresAt" | "project" | "scope" | "remoteAddress" | "userAgent"
>;

export function sessionMeta(fields: MetaFields): SessionMeta {
  return {
    createdAt: new Date(fields.createdAt),
    lastSeenAt: new Date(fields.lastSeenAt),
    expiresAt: dateOrNull(fields.expiresAt),
    project: fields.project,
    scope: fields.scope,
    remoteAddress: fields.remoteAddress,
    userAgent: fields.userAgent,
  };
}

/** An instant as users see it: a Date, or null for never. */
export function dateOrNull(instant: number): Date | null {
  return Number.isFinite(instant) ? new Date(instant) : null;
}
