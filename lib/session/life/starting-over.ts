import { isExpired } from "../../record/expiry";
import { GUEST_USER } from "../../record/session-record";
import type { EndReason, SessionRecord } from "../../record/session-record";
import { endingFor, wasReplaced } from "./session-ended";
import type { SessionLife } from "./session-life";
import { assertRecordFits } from "../../record/record-size";

/** How a session is started over: by which call, for whom, and with which of its keys. */
export interface StartOver {
  readonly reason: "login" | "logout" | "reset";
  readonly owner: string;
  readonly keep: readonly string[];
  readonly remember: boolean;
}

/** Ends the session and creates its successor in one step. Only a login goes on where the old one has ended already. */
export async function startOver(life: SessionLife, { reason, owner, keep, remember }: StartOver): Promise<void> {
  const { over, policy, values } = life;
  const isLogin = reason === "login";
  if (over !== undefined && !(isLogin && over.code === "SESSION_ENDED")) throw over;
  life.assertMayStart();
  const old = life.record ?? life.predecessor;
  life.drawAnew();
  if (old === undefined && !isLogin) {
    values.restart(undefined, keep);
    life.marked = false;
    return;
  }
  const since = values.changes;
  const record = life.counted(life.newRecord(owner, values.pick(keep), remember));
  assertRecordFits(record, policy.maxBytes);
  if (old === undefined || over !== undefined || !(await replace(life, old, reason, record))) {
    if (!isLogin) throw life.ended();
    await life.stored(policy.writer.create(record));
  }
  life.begin(record, remember);
  values.restart(record.data, keep, since);
  if (isLogin && policy.afterLogin !== undefined) await loggedIn(life, record, "now");
}

/** Ends it, with no successor. */
export async function destroy(life: SessionLife): Promise<void> {
  const old = life.record ?? life.predecessor;
  if (old !== undefined) await end(life, old);
  life.destroyed();
}

/** Ends what `regenerate` left behind, where nothing was stored in its place. */
export async function endPredecessor(life: SessionLife): Promise<void> {
  if (life.predecessor !== undefined) await end(life, life.predecessor);
  life.dropPredecessor();
}

/**
 * Puts the session that `regenerate` has begun in the place of the old one. Of two logins at once, the second finds the
 * first one's session there, and goes on: signing in proves who the user is. A new token for the same user proves
 * nothing, and that user's session may have been killed meanwhile.
 */
export async function succeed(life: SessionLife, predecessor: SessionRecord, record: SessionRecord): Promise<void> {
  const reason = reasonOf(predecessor.owner, record.owner);
  if (await replace(life, predecessor, reason, record)) return;
  if (reason !== "login" || !(await wasReplaced(life.policy, predecessor.id))) throw life.ended();
  await life.stored(life.policy.writer.create(record));
}

/** Does what has to be done after a login. Where that fails, the session exists, and the request fails. */
export async function loggedIn(life: SessionLife, record: SessionRecord, began: "now" | "before"): Promise<void> {
  const done = record.owner === GUEST_USER ? undefined : life.policy.afterLogin?.(record, began);
  if (done !== undefined) await life.stored(done);
}

async function replace(
  life: SessionLife,
  old: SessionRecord,
  reason: EndReason,
  record: SessionRecord,
): Promise<boolean> {
  const { policy } = life;
  const replaced =
    (await isStillOn(life, old)) &&
    (await life.stored(policy.writer.replace(old.id, endingFor(policy, reason, old.owner), record)));
  if (replaced) policy.onEnded(old, reason);
  return replaced;
}

/** Whether it has not expired. Where it has by what was loaded, it may have been renewed since. */
async function isStillOn(life: SessionLife, old: SessionRecord): Promise<boolean> {
  const { writer, now } = life.policy;
  if (!isExpired(old, now())) return true;
  const current = await life.stored(Promise.resolve(writer.load(old.id)));
  return current !== undefined && !isExpired(current, now());
}

async function end(life: SessionLife, old: SessionRecord): Promise<void> {
  const { policy } = life;
  const ended = await life.stored(policy.writer.end(old.id, endingFor(policy, "closed", old.owner)));
  if (ended) policy.onEnded(old, "closed");
}

function reasonOf(oldOwner: string, newOwner: string): EndReason {
  if (oldOwner === newOwner) return "reset";
  return newOwner === GUEST_USER ? "logout" : "login";
}
