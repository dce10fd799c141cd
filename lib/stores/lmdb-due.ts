import type { LmdbFolder } from "./lmdb-folder";
import type { Run } from "./lmdb-run";
import type { Indexed, LmdbTable, TimeEntry } from "./lmdb-table";
import { AFTER_ALL } from "./tally-key";

/** How many runs are merged at once: a backlog of a day. One of years is worked off in groups of so many. */
const MERGED_RUNS = 144;

/** How many entries are held at once, over all runs; and from each run at least so many are read together. */
const HELD_ENTRIES = 1_000;
const FEWEST_ENTRIES = 8;

/** How many runs are looked at in one turn of the event loop. */
const RUNS_A_TURN = 50;

type Table = Pick<LmdbTable<Indexed>, "runFrom" | "entriesOfRun">;

/** The entries of one run that were read and not yet handed out, in the order of their ids. */
interface Reading {
  readonly run: Run;
  entries: TimeEntry[];
  /** Where to go on reading; undefined where everything was read. */
  last: string | undefined;
}

/**
 * What may be cleared in the purge bucket `boundary` or one before it, a group at a time, and in the order of the ids over many runs; what is in the
 * bucket itself comes last. Some groups are empty, so that a caller who takes a turn of the event loop for each never reads long without one.
 *
 * The order of the index itself, run by run, would visit the records at random, and for each record LMDB copies a page. In the
 * order of the ids, records that lie on one page are deleted by one transaction. What is held in memory does not
 * grow with what is due.
 */
export function* dueEntries(folder: LmdbFolder, table: Table, boundary: string): Generator<TimeEntry[]> {
  let whole: Run[] = [];
  const inPart: Run[] = [];
  for (const runs of runsUpTo(folder, table, boundary)) {
    yield [];
    for (const run of runs) (run.purgeBucket < boundary ? whole : inPart).push(run);
    if (whole.length < MERGED_RUNS) continue;
    yield* merged(folder, table, whole);
    whole = [];
  }
  yield* merged(folder, table, whole);
  yield* merged(folder, table, inPart);
}

/** The runs that may be cleared in this purge bucket or one before it, a few at a time. */
export function* runsUpTo(folder: LmdbFolder, table: Table, boundary: string): Generator<Run[]> {
  for (let from: string | undefined = ""; from !== undefined;) {
    const found: Run[] = [];
    from = folder.read(() => {
      let next = from ?? "";
      for (let looked = 0; looked < RUNS_A_TURN; looked += 1) {
        const run = table.runFrom(next);
        if (run === undefined) return undefined;
        const isBehind = run.purgeBucket > boundary;
        if (!isBehind) found.push(run);
        next = (isBehind ? run.lead : run.text) + AFTER_ALL;
      }
      return next;
    });
    yield found;
  }
}

function* merged(folder: LmdbFolder, table: Table, runs: readonly Run[]): Generator<TimeEntry[]> {
  const limit = Math.max(FEWEST_ENTRIES, Math.floor(HELD_ENTRIES / Math.max(1, runs.length)));
  let open = runs.map((run): Reading => ({ run, entries: [], last: "" }));
  while (open.length > 0) {
    for (const reading of open) if (refill(folder, table, reading, limit)) yield [];
    const end = earliestEnd(open);
    const group = open.flatMap((reading) => takeUpTo(reading, end));
    // Each run's part is in order already, which makes this cheap.
    if (group.length > 0) yield group.sort((a, b) => (a.id < b.id ? -1 : 1));
    open = open.filter(({ entries, last }) => entries.length > 0 || last !== undefined);
  }
}

/** Reads on before a run is used up: otherwise the groups would shrink to what the next one to be used up has left. */
function refill(folder: LmdbFolder, table: Table, reading: Reading, limit: number): boolean {
  const { run, entries, last } = reading;
  if (entries.length > limit / 2 || last === undefined) return false;
  const found = folder.read(() => table.entriesOfRun(run, last, limit));
  reading.entries = entries.concat(found);
  reading.last = found.length < limit ? undefined : found.at(-1)?.id;
  return true;
}

/** Up to here every run was read; undefined where all of them were read to their ends. */
function earliestEnd(open: readonly Reading[]): string | undefined {
  const ends = open.flatMap(({ last }) => (last === undefined ? [] : [last]));
  return ends.length === 0 ? undefined : ends.reduce((least, end) => (end < least ? end : least));
}

function takeUpTo(reading: Reading, end: string | undefined): TimeEntry[] {
  const { entries } = reading;
  // The run that ends there gives all: LMDB compares bytes and this UTF-16, which for foreign ids may differ.
  const beyond = end === undefined || reading.last === end ? -1 : entries.findIndex(({ id }) => id > end);
  reading.entries = beyond < 0 ? [] : entries.slice(beyond);
  return beyond < 0 ? entries : entries.slice(0, beyond);
}
