import { randomBytes } from "node:crypto";
import { touchAt } from "./expiry";
import type { SessionDelta } from "./session-delta";
import { dictionary } from "./session-record";
import type { SecurityKeyRecord, SessionRecord } from "./session-record";

/** Names of security keys are hashes, so no other key begins like this. */
const MARK = "unfinished:";

/**
 * The record as the first of two steps stores it. It opens no session: it has expired, and it has a mark of its own,
 * which only the second step for this very record removes. One that is left so is forgotten as an ended session is.
 */
export function unfinished(record: SessionRecord, keepEndedMs: number): SessionRecord {
  const { createdAt } = record;
  const mark = MARK + randomBytes(9).toString("base64url");
  const keys: SessionRecord["keys"] = Object.assign(dictionary<SecurityKeyRecord>(), record.keys, {
    [mark]: { payload: "null", createdAt, expiresAt: createdAt },
  });
  return { ...record, keys, expiresAt: createdAt, purgeAt: createdAt + keepEndedMs };
}

/** Whether the second step is still to come. */
export function isUnfinished({ keys }: Pick<SessionRecord, "keys">): boolean {
  // Most records have no keys, and for those this loop is all there is to do.
  for (const name in keys) if (name.startsWith(MARK)) return true;
  return false;
}

/** The second step, at `now`: from then on the record opens its session. */
export function finishing(record: SessionRecord, now: number, keepEndedMs: number): SessionDelta {
  const marks = Object.keys(record.keys).filter((name) => name.startsWith(MARK));
  return { ...touchAt(record, now, keepEndedMs), keys: { remove: marks } };
}
