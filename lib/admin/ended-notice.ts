import type { EndReason, EndedRecord, SessionRecord } from "../record/session-record";
import { endOf } from "./listing/session-info";

/** What the browser of an ended session may be told. */
export interface EndedNotice {
  /** Why the session is over. */
  readonly reason: EndReason;
  /** When it ended. */
  readonly endedAt: Date;
  /** The user who ended it; null where no user did. */
  readonly endedBy: string | null;
  /** The message of that user; null for none. */
  readonly message: string | null;
}

/** The notice about a record; undefined while its session is live. */
export function endedNotice(record: SessionRecord | EndedRecord, now: number): EndedNotice | undefined {
  const end = endOf(record, now);
  if (end === undefined) return undefined;
  const { reason, endedAt, endedBy, message = null } = end;
  return { reason, endedAt: new Date(endedAt), endedBy, message };
}
