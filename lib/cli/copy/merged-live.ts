import type { SessionDelta } from "../../record/session-delta";
import type { SessionRecord } from "../../record/session-record";
import { contentMark, markedCounters, marksOf } from "./copy-marks";
import { activityDifference, contentDifference, counterDifference } from "./record-difference";

/**
 * Whose content a session gets that is live in both stores: `same` where there is nothing to choose, `source` where the
 * target's app has not changed it since it was copied, `newerInTarget` where only that app has, and `changedInBoth`,
 * where the target's stays, because an old copy must never take the place of what a user has just done.
 */
export type Standing = "same" | "source" | "newerInTarget" | "changedInBoth";

export interface Merge {
  readonly standing: Standing;
  /** What to change in the target; undefined for nothing. */
  readonly delta: SessionDelta | undefined;
}

/**
 * What a session that is live in both becomes in the target. `lastSeenAt` can't say which content is newer, because a
 * save does not move it; the marks of the last copy can, in either direction.
 */
export function mergedLive(source: SessionRecord, target: SessionRecord, lineage: number): Merge {
  const content = contentMark(source);
  const standing = standingOf(source, content, target);
  const isTargetKept = standing === "newerInTarget" || standing === "changedInBoth";
  const isSeenLater = isTargetKept ? source.lastSeenAt > target.lastSeenAt : source.lastSeenAt >= target.lastSeenAt;
  const before = marksOf(target);
  const after = { content, until: source.expiresAt, lineage: before?.lineage ?? lineage };
  const marks = standing === "changedInBoth" ? before : after;
  const counters = markedCounters(isSeenLater && !isTargetKept ? source : target, marks);
  const delta: SessionDelta = {
    ...(standing === "source" && contentDifference(source, target)),
    ...(isSeenLater && activityDifference(source, target)),
    ...counterDifference(counters, target.counters),
  };
  return { standing, delta: Object.keys(delta).length === 0 ? undefined : delta };
}

function standingOf(source: SessionRecord, inSource: number, target: SessionRecord): Standing {
  const inTarget = contentMark(target);
  if (inSource === inTarget) return "same";
  // Both: a store that was a target may become a source, on the way back.
  const copied = [marksOf(target)?.content, marksOf(source)?.content];
  const [isSourceOld, isTargetOld] = [copied.includes(inSource), copied.includes(inTarget)];
  if (isSourceOld === isTargetOld) return "changedInBoth";
  return isTargetOld ? "source" : "newerInTarget";
}
