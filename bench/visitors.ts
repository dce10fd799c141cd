/** What a day of visitors asks of a session library: the requests with a live session, and what they do with it. */
export interface VisitorHabits {
  /** Visits a day of a visitor who comes at all. */
  readonly visits: number;
  /** Requests of a visit, on average; geometrically distributed. */
  readonly requests: number;
  /** Seconds between two requests of a visit, on average; exponentially distributed. */
  readonly gapSeconds: number;
  /** The share of the requests that change the session (0 … 1). */
  readonly writes: number;
  /** The share of the visits that sign in, at their second request. */
  readonly signIns: number;
}

export const HABITS: VisitorHabits = { visits: 1.5, requests: 12, gapSeconds: 45, writes: 0.1, signIns: 0.3 };

/** Entities read, written and deleted, which is what Datastore bills. */
export interface Operations {
  reads: number;
  writes: number;
  deletes: number;
  /** Writes that put an entry into the index by which clearing finds sessions. */
  indexWrites: number;
}

export interface Day {
  readonly visitors: number;
  readonly requests: number;
  readonly sessions: number;
  readonly ours: Operations;
  readonly touching: Operations;
}

const TOUCH_MS = 5 * 60_000;
const BUCKET_MS = 10 * 60_000;

/**
 * Simulates one day of this many visitors, request by request. `touching` is a library that loads and saves its session
 * with every request, under an indexed time, as it must if nothing else keeps a session in use from expiring. Both get
 * the same random numbers, every time.
 *
 * Ours: the first change creates the session; a request that has one costs a read, and a change or a due touch a write;
 * a sign-in reads the old session, changes and deletes it, and writes its ended record and the new session; clearing
 * reads and deletes each record once.
 */
export function simulateDay(visitors: number, habits: VisitorHabits = HABITS): Day {
  const random = mulberry32(20_260_101);
  const exponential = (mean: number) => -mean * Math.log(1 - random());
  const ours = nothing();
  const touching = nothing();
  let requests = 0;
  let sessions = 0;

  for (let visitor = 0; visitor < visitors; visitor += 1) {
    const visits = Math.floor(habits.visits) + (random() < habits.visits % 1 ? 1 : 0);
    for (let visit = 0; visit < visits; visit += 1) {
      const signsIn = random() < habits.signIns;
      let at = exponential(86_400_000);
      let lastSeenAt: number | undefined;
      const seen = () => {
        // An entry of the index is written only if its bucket changes.
        const moves = lastSeenAt === undefined || Math.floor(lastSeenAt / BUCKET_MS) !== Math.floor(at / BUCKET_MS);
        ours.writes += 1;
        ours.indexWrites += moves ? 1 : 0;
        lastSeenAt = at;
      };
      for (let nth = 1; nth === 1 || random() < 1 - 1 / habits.requests; nth += 1) {
        requests += 1;
        const isLive = lastSeenAt !== undefined;
        const changes = random() < habits.writes;
        if (isLive) {
          ours.reads += 1;
          touching.reads += 1;
        }
        if (signsIn && nth === 2) {
          if (isLive) {
            ours.reads += 2; // Who it was; and its ended record, when that is cleared.
            ours.writes += 2; // The old session, to be sure that it is live; and its ended record.
            ours.indexWrites += 1;
            ours.deletes += 2; // The old session now, and its ended record a day later.
            touching.deletes += 1;
          }
          sessions += 1;
          lastSeenAt = undefined;
          seen();
          save(touching);
        } else if (isLive || changes) {
          if (!isLive) sessions += 1;
          if (changes || (lastSeenAt !== undefined && at - lastSeenAt >= TOUCH_MS)) seen();
          save(touching);
        }
        at += exponential(habits.gapSeconds * 1000);
      }
      if (lastSeenAt === undefined) continue;
      for (const each of [ours, touching]) {
        each.reads += 1;
        each.deletes += 1;
      }
    }
  }
  return { visitors, requests, sessions, ours, touching };
}

function save(operations: Operations): void {
  operations.writes += 1;
  operations.indexWrites += 1;
}

function nothing(): Operations {
  return { reads: 0, writes: 0, deletes: 0, indexWrites: 0 };
}

/** A random number generator with a seed. (Tommy Ettinger's mulberry32, public domain) */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
