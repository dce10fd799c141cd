import { randomBytes } from "node:crypto";
import { dictionary, GUEST_USER } from "../../lib/record/session-record";
import type { Ending, SessionRecord } from "../../lib/record/session-record";

const HOUR = 3_600_000;

/** A live session that lasts an hour; by default a guest's, without data. */
export function sessionRecord(fields: Partial<SessionRecord> = {}): SessionRecord {
  const now = Date.now();
  return {
    v: 1,
    id: randomBytes(32).toString("base64url"),
    owner: GUEST_USER,
    project: "",
    scope: "browser",
    createdAt: now,
    lastSeenAt: now,
    idleMs: HOUR,
    endsAt: now + 24 * HOUR,
    expiresAt: now + HOUR,
    purgeAt: now + 25 * HOUR,
    remoteAddress: "127.0.0.1",
    userAgent: "test",
    data: dictionary(),
    attributes: dictionary(),
    keys: dictionary(),
    pages: dictionary(),
    counters: dictionary(),
    ...fields,
  };
}

/** A kill, remembered for a day. */
export function killed(at = Date.now()): Ending {
  return { endedAt: at, reason: "killed", endedBy: "admin", purgeAt: at + 24 * HOUR };
}
