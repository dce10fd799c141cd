import { applyDelta } from "../../record/session-delta";
import type { SessionDelta } from "../../record/session-delta";
import type { SessionRecord } from "../../record/session-record";
import { cookieView } from "../cookie-view";
import { DetachedState } from "./detached-state";
import { Session } from "../session";
import { sessionMeta } from "../session-meta";
import { ownerOf } from "../session-owner";
import type { SessionPolicy } from "./session-policy";
import { SessionValues } from "../values/session-values";

/** The change, with the owner that the data name once it is applied to the current record. */
export function withMergedOwner(
  policy: SessionPolicy,
  current: SessionRecord,
  change: SessionDelta,
  usesPassport: boolean,
): SessionDelta {
  const merged = applyDelta(current, change);
  const state = new DetachedState(policy, merged, new SessionValues(merged.data), {
    id: current.id,
    owner: current.owner,
    isNew: false,
    meta: sessionMeta(current),
    cookie: cookieView(null, current.createdAt, current.lastSeenAt),
    given: (promise) => promise,
  });
  const owner = ownerOf(policy, new Session(state), current.owner, usesPassport);
  return owner === current.owner ? change : { ...change, owner };
}
