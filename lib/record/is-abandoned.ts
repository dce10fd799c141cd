import { CLIENTLESS_SCOPE } from "./clientless-scope";
import type { SessionRecord } from "./session-record";

/** Whether a record that has expired is one whose process died: a clientless session has an idle limit only while a process holds it. */
export function isAbandoned(record: Pick<SessionRecord, "scope" | "expiresAt" | "endsAt">): boolean {
  return record.scope === CLIENTLESS_SCOPE && record.expiresAt < record.endsAt;
}
