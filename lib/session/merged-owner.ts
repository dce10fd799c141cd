import { applyDelta } from "../record/session-delta";
import type { SessionDelta } from "../record/session-delta";
import type { SessionRecord } from "../record/session-record";
import { cookieView } from "./cookie-view";
import { DetachedState } from "./detached-state";
import { Session } from "./session";
import { sessionMeta } from "./session-meta";
import { ownerOf } from "./session-owner";
import type { UserOf } from "./session-owner";
import { SessionValues } from "./session-values";

/** The change, with the owner that the data name once it is applied to the current record. */
export function withMergedOwner(userOf: UserOf, current: SessionRecord, change: SessionDelta): SessionDelta {
  const state = new DetachedState(new SessionValues(applyDelta(current, change).data), {
    id: current.id,
    owner: current.owner,
    isNew: false,
    meta: sessionMeta(current),
    cookie: cookieView(null, current.createdAt, current.lastSeenAt),
  });
  const owner = ownerOf(userOf, new Session(state), current.owner);
  return owner === current.owner ? change : { ...change, owner };
}
