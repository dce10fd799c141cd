import { dictionary, RECORD_VERSION } from "../../record/session-record";
import type { Encoded, SessionRecord } from "../../record/session-record";
import { expiresAt } from "../../record/expiry";
import type { SessionOrigin, SessionPolicy } from "./session-policy";

/** What tells one new session from another. */
export interface NewSession {
  readonly id: string;
  readonly owner: string;
  readonly data: Record<string, Encoded>;
  readonly origin: SessionOrigin;
  /** Whether `rememberMs` is both of its limits. */
  readonly remember: boolean;
}

/** The record of a session that starts now. */
export function newRecord(policy: SessionPolicy, session: NewSession): SessionRecord {
  const createdAt = policy.now();
  const idleMs = session.remember ? policy.rememberMs : policy.limits.idleMs;
  const endsAt = createdAt + (session.remember ? policy.rememberMs : policy.limits.absoluteMs);
  const end = expiresAt({ idleMs, endsAt }, createdAt);
  return {
    v: RECORD_VERSION,
    id: session.id,
    owner: session.owner,
    project: policy.project,
    scope: session.origin.scope,
    createdAt,
    lastSeenAt: createdAt,
    idleMs,
    endsAt,
    expiresAt: end,
    purgeAt: end + policy.keepEndedMs,
    remoteAddress: session.origin.remoteAddress,
    userAgent: session.origin.userAgent,
    data: session.data,
    attributes: dictionary(),
    keys: dictionary(),
    pages: dictionary(),
    counters: dictionary(),
  };
}
