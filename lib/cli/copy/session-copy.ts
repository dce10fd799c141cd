import { SessionError } from "../../errors";
import { CLEAR_GRACE_MS, isDue, isExpired } from "../../record/expiry";
import { recordBytes } from "../../record/record-size";
import { BYTES_SENT, dictionary } from "../../record/session-record";
import type { EndedRecord, Ending, SessionRecord } from "../../record/session-record";
import { isCreated } from "../../stores/store";
import type { SessionStore } from "../../stores/store";
import { BatchedWork } from "./batched-work";
import { contentMark, markedCounters, marksOf } from "./copy-marks";
import { KnownIds } from "./known-ids";
import { Lineages } from "./lineages";
import { mergedLive } from "./merged-live";
import type { Standing } from "./merged-live";
import { mergedRecords } from "./merged-records";
import type { Copies, Pair } from "./merged-records";
import { counterDifference } from "./record-difference";
import { FORGOTTEN, PROBE_SCOPE } from "./store-side";

/** What became of one session. */
type Outcome =
  "created" | "updated" | "ended" | "same" | "endedInTarget" | "newerInTarget" | "changedInBoth" | "missing";

/** How many sessions had each outcome in one pass. */
export type PassCounts = Record<Outcome | "failed", number>;

/** Is told of what a pass can't do by itself. */
export interface PassListener {
  /** How many live sessions of the source were seen so far. */
  readonly onProgress?: (count: number) => void;
  /** It could not be copied. */
  readonly onFailure: (id: string, error: unknown) => void;
  /** The source's changes of it were not copied, because the target's app has changed it, too. */
  readonly onChangedInBoth?: (id: string) => void;
}

/** One session to be settled. */
interface Task {
  readonly pair: Pair;
  /** Whether the last pass saw it live in the source. */
  readonly wasKnown: boolean;
}

/** What is used of a store. */
export type CopyStore = Pick<SessionStore, "load" | "create" | "mutate" | "end" | "find">;

/** After so many failures in one pass, or in a row, it is given up: the store is at fault, and not the sessions. */
const MOST_FAILURES = 100;
const MOST_IN_A_ROW = 32;

/**
 * Makes a target equal to a source, pass by pass. Nothing that has ended in either of the two becomes live in the
 * target, and what the target's app has changed or begun stays. The target's clock must stand at 0, so that it changes
 * expired records, too: the source may have renewed them.
 */
export class SessionCopy {
  /**
   * The ids that the last pass saw live in the source: where the target ended one and kept nothing, there is no other
   * trace.
   */
  #known = new KnownIds();
  /** Those that the last pass could not copy. */
  #failed = new Set<string>();
  #lineages: Lineages | undefined;
  #isSourceEmpty = true;

  constructor(
    readonly source: CopyStore,
    readonly target: CopyStore,
    /** The number of the source: the same in all copies from it. */
    readonly lineage: number,
  ) {}

  /** Whether no pass has found anything in the source. */
  get isSourceEmpty(): boolean {
    return this.#isSourceEmpty;
  }

  /** Whether nothing is left for another pass, after one with these counts. */
  isSettled({ created, updated, ended }: PassCounts): boolean {
    return created + updated + ended === 0;
  }

  /** Rejects where a store can't be read, or too much fails; `counts` tells what was done until then. */
  async pass({ onProgress, onFailure, onChangedInBoth }: PassListener, counts = noCounts()): Promise<PassCounts> {
    const lineages = (this.#lineages ??= await Lineages.find(this.lineage, this.source, this.target));
    const known = new KnownIds();
    const failed = new Set<string>();
    let [seen, inARow] = [0, 0];
    let lastError: unknown;
    const isGivenUp = () => counts.failed >= MOST_FAILURES || inARow >= MOST_IN_A_ROW;
    const work = new BatchedWork<Task>(async ({ pair, wasKnown }) => {
      try {
        const outcome = await this.#settle(pair, wasKnown, lineages);
        counts[outcome] += 1;
        inARow = 0;
        if (outcome === "changedInBoth") onChangedInBoth?.(pair.id);
        return true;
      } catch (error) {
        counts.failed += 1;
        inARow += 1;
        failed.add(pair.id);
        lastError = error;
        onFailure(pair.id, error);
        return false;
      }
    });
    for await (const pair of mergedRecords(this.source, this.target)) {
      const { live, ended } = pair.source;
      const wasKnown = this.#known.has(pair.id) && !this.#failed.has(pair.id);
      if (live !== undefined && ended === undefined) known.add(pair.id);
      if (live !== undefined || ended !== undefined) this.#isSourceEmpty = false;
      await work.add({ pair, wasKnown }, bytesOf(pair));
      if (live !== undefined) onProgress?.((seen += 1));
      if (isGivenUp()) break;
    }
    await work.finish(isGivenUp());
    if (isGivenUp()) throw givenUp(counts.failed, lastError);
    this.#known = known;
    this.#failed = failed;
    return counts;
  }

  async #settle({ id, source, target }: Pair, wasKnown: boolean, lineages: Lineages): Promise<Outcome> {
    if (source.live?.scope === PROBE_SCOPE) return "same";
    if (target.live?.scope === PROBE_SCOPE) {
      await this.target.end(id, FORGOTTEN);
      return "same";
    }
    // A copy with an old view of the target has made it again after the app had ended it.
    if (target.live !== undefined && target.ended !== undefined && marksOf(target.live) !== undefined) {
      return (await this.target.end(id, endingOf(target.ended))) ? "ended" : "endedInTarget";
    }
    const { live, ended } = source;
    // It ended between the two reads, or the app uses an ended id again.
    const isLive = live !== undefined && (ended === undefined || (await this.source.load(id)) !== undefined);
    if (isLive) return this.#copyLive(live, target, wasKnown, lineages.own);
    if (ended !== undefined) return this.#copyEnded(ended, target.live, target.ended !== undefined);
    return target.live === undefined ? "same" : this.#endMissing(target.live, wasKnown, lineages);
  }

  async #copyLive(live: SessionRecord, copies: Copies, wasKnown: boolean, lineage: number): Promise<Outcome> {
    if (copies.live !== undefined) {
      const { standing, delta } = mergedLive(live, copies.live, lineage);
      return delta === undefined ? outcomeOf(standing) : this.#update(live, lineage);
    }
    if (copies.ended !== undefined) return "endedInTarget";
    if (isDue(live, Date.now())) return "same";
    // The target was read a while ago, and only what was never there may become live.
    if (await isEndedIn(this.target, live.id)) return "endedInTarget";
    if (wasKnown && (await this.target.load(live.id)) === undefined) return "endedInTarget";
    const counters = markedCounters(live, { content: contentMark(live), until: live.expiresAt, lineage });
    return (await isCreated(this.target, { ...live, counters })) ? "created" : this.#update(live, lineage);
  }

  async #update(live: SessionRecord, lineage: number): Promise<Outcome> {
    let outcome: Outcome = "same";
    const record = await this.target.mutate(live.id, (current) => {
      const { standing, delta } = mergedLive(live, current, lineage);
      const isMore = standing === "same" || standing === "source";
      outcome = isMore && delta !== undefined ? "updated" : outcomeOf(standing);
      return delta;
    });
    return record === undefined ? "endedInTarget" : outcome;
  }

  async #copyEnded(ended: EndedRecord, copy: SessionRecord | undefined, wasEnded: boolean): Promise<Outcome> {
    if (copy === undefined) {
      if (wasEnded || isDue(ended, Date.now()) || (await isEndedIn(this.target, ended.id))) return "same";
      await isCreated(this.target, expiredRecord(ended));
    } else {
      // Nobody ended it: it was not used in the source any more, because it was used in the target.
      const isUsedOn = copy.lastSeenAt > ended.lastSeenAt && !isExpired(copy, Date.now());
      if (ended.reason === "expired" && isUsedOn) return "newerInTarget";
      // What is kept of it comes from the live record.
      await this.target.mutate(ended.id, ({ counters }) => ({
        ...{ owner: ended.owner, lastSeenAt: ended.lastSeenAt },
        ...counterDifference({ ...counters, [BYTES_SENT]: ended.bytesSent ?? 0 }, counters),
      }));
    }
    return (await this.target.end(ended.id, endingOf(ended))) ? "ended" : "same";
  }

  /** The target has it and the source has nothing of it: the target's app began it, or the source ended it and kept nothing. */
  async #endMissing(copy: SessionRecord, wasKnown: boolean, lineages: Lineages): Promise<Outcome> {
    const now = Date.now();
    const marks = marksOf(copy);
    // Later than that, the source may have cleared it because it had expired there.
    if (marks === undefined || marks.until <= now) return "same";
    if ((await this.source.load(copy.id)) !== undefined) return "same";
    for await (const ended of this.source.find({ state: "ended", id: copy.id })) {
      return this.#copyEnded(ended as EndedRecord, copy, false);
    }
    if (!wasKnown && !lineages.isShared(marks.lineage)) return marks.lineage === lineages.own ? "missing" : "same";
    const ending: Ending = { endedAt: now, reason: "killed", endedBy: null, purgeAt: now + CLEAR_GRACE_MS };
    return (await this.target.end(copy.id, ending)) ? "ended" : "same";
  }
}

export function noCounts(): PassCounts {
  const none = { created: 0, updated: 0, ended: 0, same: 0 };
  return { ...none, endedInTarget: 0, newerInTarget: 0, changedInBoth: 0, missing: 0, failed: 0 };
}

/** About how much a pair takes in memory. */
function bytesOf({ source, target }: Pair): number {
  return [source.live, target.live].reduce(
    (bytes, live) => (live === undefined ? bytes : bytes + recordBytes(live, live.data)),
    0,
  );
}

function outcomeOf(standing: Standing): Outcome {
  return standing === "source" ? "same" : standing;
}

function givenUp(failures: number, lastError: unknown): SessionError {
  const reason = lastError instanceof SessionError ? `: ${lastError.message}` : ".";
  return new SessionError(
    "SESSION_STORE",
    `The copy was given up after ${failures} failures, the last of them${reason}`,
    {
      cause: lastError,
    },
  );
}

async function isEndedIn(store: CopyStore, id: string): Promise<boolean> {
  for await (const _ of store.find({ state: "ended", id })) return true;
  return false;
}

/** A record to be ended at once. It has expired from its first moment, so that nobody is signed in by it. */
function expiredRecord(ended: EndedRecord): SessionRecord {
  const { v, id, owner, project, scope, createdAt, lastSeenAt, purgeAt, remoteAddress, userAgent } = ended;
  const counters = dictionary<number>();
  if (ended.bytesSent !== undefined) counters[BYTES_SENT] = ended.bytesSent;
  return {
    ...{ v, id, owner, project, scope, createdAt, lastSeenAt, purgeAt, remoteAddress, userAgent, counters },
    ...{ idleMs: 0, endsAt: createdAt, expiresAt: createdAt },
    ...{ data: dictionary(), attributes: dictionary(), keys: dictionary(), pages: dictionary() },
  };
}

function endingOf({ endedAt, reason, endedBy, purgeAt, message }: EndedRecord): Ending {
  return { endedAt, reason, endedBy, purgeAt, ...(message === undefined ? {} : { message }) };
}
