import type { EndReason, EndedRecord, SessionRecord } from "../record/session-record";
import { endOf } from "./listing/session-info";

/** What the browser of a session that is over may be told. */
export interface EndedNotice {
  readonly reason: EndReason;
  readonly endedAt: Date;
  /** The user who ended it; null where nobody in particular did. */
  readonly endedBy: string | null;
  /** What that user has written about it; null for nothing. */
  readonly message: string | null;
}

/** Undefined for a session that is live. */
export function endedNotice(record: SessionRecord | EndedRecord, now: number): EndedNotice | undefined {
  const end = endOf(record, now);
  if (end === undefined) return undefined;
  const { reason, endedAt, endedBy, message = null } = end;
  return { reason, endedAt: new Date(endedAt), endedBy, message };
}
