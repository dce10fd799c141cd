import { SessionError } from "../../errors";
import { isDue } from "../../record/expiry";
import { BYTES_SENT, dictionary } from "../../record/session-record";
import type { EndedRecord, Ending, SessionRecord } from "../../record/session-record";
import type { SessionStore } from "../../stores/store";
import { KnownIds } from "./known-ids";
import { mergedRecords } from "./merged-records";
import type { Pair } from "./merged-records";
import { counterDifference, differenceOf } from "./record-difference";

/** What became of one session. */
type Outcome = "created" | "updated" | "ended" | "same" | "endedInTarget" | "newerInTarget";

/** How many sessions had each outcome in one pass. */
export type PassCounts = Record<Outcome | "failed", number>;

/** A session that could not be copied. */
export type FailureListener = (id: string, error: unknown) => void;

/** How many sessions are written at once. */
const CONCURRENCY = 32;
/** After so many failures in one pass it is given up: the store is at fault, and not the sessions. */
const MOST_FAILURES = 100;

/**
 * Makes a target equal to a source, pass by pass. Nothing that has ended in either of the two becomes live in the
 * target; what the target has beside it stays. The target's clock must stand at 0, so that it changes expired records,
 * too: the source may have renewed them.
 */
export class SessionCopy {
  /** The ids that the last pass saw live in both; a store that keeps nothing of ended sessions has no other trace. */
  #known = new KnownIds();
  /** Those that the last pass could not copy. */
  #failed = new Set<string>();

  constructor(
    readonly source: SessionStore,
    readonly target: SessionStore,
  ) {}

  /** Rejects where a store can't be read, and after a hundred failures. `done` is told how many live ones were seen. */
  async pass(done: (count: number) => void, onFailure: FailureListener): Promise<PassCounts> {
    const counts = noCounts();
    const known = new KnownIds();
    const failed = new Set<string>();
    const underWay = new Set<Promise<void>>();
    let seen = 0;
    for await (const pair of mergedRecords(this.source, this.target)) {
      const wasKnown = this.#known.has(pair.id) && !this.#failed.has(pair.id);
      if (pair.source.live !== undefined && pair.source.ended === undefined) known.add(pair.id);
      const work = this.#settle(pair, wasKnown)
        .then((outcome) => void (counts[outcome] += 1))
        .catch((error: unknown) => {
          counts.failed += 1;
          failed.add(pair.id);
          onFailure(pair.id, error);
        })
        .finally(() => underWay.delete(work));
      underWay.add(work);
      if (underWay.size >= CONCURRENCY) await Promise.race(underWay);
      if (pair.source.live !== undefined) done((seen += 1));
      if (counts.failed >= MOST_FAILURES) break;
    }
    await Promise.all(underWay);
    if (counts.failed >= MOST_FAILURES) {
      throw new SessionError("SESSION_STORE", `The copy was given up after ${counts.failed} failures; start it again.`);
    }
    this.#known = known;
    this.#failed = failed;
    return counts;
  }

  async #settle({ id, source, target }: Pair, wasKnown: boolean): Promise<Outcome> {
    const { live, ended } = source;
    // It ended between the two reads, or the app uses an ended id again.
    const isLive = live !== undefined && (ended === undefined || (await this.source.load(id)) !== undefined);
    if (isLive) return this.#copyLive(live, target.live, target.ended !== undefined, wasKnown);
    if (ended !== undefined) return this.#copyEnded(ended, target.live, target.ended !== undefined);
    return target.live !== undefined && wasKnown ? this.#endVanished(target.live) : "same";
  }

  async #copyLive(
    live: SessionRecord,
    copy: SessionRecord | undefined,
    wasEnded: boolean,
    wasKnown: boolean,
  ): Promise<Outcome> {
    if (copy !== undefined) {
      if (copy.lastSeenAt > live.lastSeenAt) return "newerInTarget";
      if (differenceOf(live, copy) === undefined) return "same";
      return this.#update(live);
    }
    if (wasEnded) return "endedInTarget";
    if (isDue(live, Date.now())) return "same";
    // The target was read a while ago, and only what was never there may become live.
    if ((await this.target.load(live.id)) !== undefined) return this.#update(live);
    if (wasKnown || (await isEndedIn(this.target, live.id))) return "endedInTarget";
    try {
      await this.target.create(live);
      return "created";
    } catch (error) {
      if (error instanceof SessionError && error.code === "SESSION_EXISTS") return this.#update(live);
      throw error;
    }
  }

  async #update(live: SessionRecord): Promise<Outcome> {
    let outcome: Outcome = "same";
    const record = await this.target.mutate(live.id, (current) => {
      const isNewer = current.lastSeenAt > live.lastSeenAt;
      const delta = isNewer ? undefined : differenceOf(live, current);
      outcome = isNewer ? "newerInTarget" : delta === undefined ? "same" : "updated";
      return delta;
    });
    return record === undefined ? "endedInTarget" : outcome;
  }

  async #copyEnded(ended: EndedRecord, copy: SessionRecord | undefined, wasEnded: boolean): Promise<Outcome> {
    if (copy === undefined) {
      if (wasEnded || isDue(ended, Date.now()) || (await isEndedIn(this.target, ended.id))) return "same";
      await this.target.create(expiredRecord(ended)).catch((error: unknown) => {
        if (!(error instanceof SessionError) || error.code !== "SESSION_EXISTS") throw error;
      });
    } else {
      // What is kept of it comes from the live record.
      await this.target.mutate(ended.id, ({ counters }) => ({
        ...{ owner: ended.owner, lastSeenAt: ended.lastSeenAt },
        counters: counterDifference({ ...counters, [BYTES_SENT]: ended.bytesSent ?? 0 }, counters) ?? {},
      }));
    }
    return (await this.target.end(ended.id, endingOf(ended))) ? "ended" : "same";
  }

  /** It was copied, and the source has nothing of it any more: it ended there, and nothing was kept. */
  async #endVanished(copy: SessionRecord): Promise<Outcome> {
    if ((await this.source.load(copy.id)) !== undefined) return "same";
    for await (const ended of this.source.find({ state: "ended", id: copy.id })) {
      return this.#copyEnded(ended as EndedRecord, copy, false);
    }
    const endedAt = Date.now();
    const ending: Ending = { endedAt, reason: "killed", endedBy: null, purgeAt: endedAt };
    return (await this.target.end(copy.id, ending)) ? "ended" : "same";
  }
}

/** What a pass has changed. */
export function changesIn({ created, updated, ended }: PassCounts): number {
  return created + updated + ended;
}

export function noCounts(): PassCounts {
  return { created: 0, updated: 0, ended: 0, same: 0, endedInTarget: 0, newerInTarget: 0, failed: 0 };
}

async function isEndedIn(store: SessionStore, id: string): Promise<boolean> {
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
