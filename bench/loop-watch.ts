import { openSync, readSync } from "node:fs";
import { createRequire } from "node:module";
import { monitorEventLoopDelay } from "node:perf_hooks";
import type * as CoatcheckSqlite from "coatcheck/sqlite";

/** How often the delay of the event loop is sampled, in milliseconds. Node counts this time as part of each delay. */
export const RESOLUTION_MS = 1;

/** A stretch of the store's work on the main thread without a break, in milliseconds. */
export interface Section {
  readonly wallMs: number;
  /** For how much of it the thread waited for a core, which it would not on an idle machine. */
  readonly queuedMs: number;
}

/** What a process saw of its event loop, and of its embedded store if it has one. */
export interface LoopWatch {
  readonly seconds: number;
  /** In milliseconds: half of the samples, and ninety-nine of a hundred, are no longer. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly longestMs: number;
  /** How long the main thread waited for a core in all. */
  readonly queuedMs: number;
  /** `SqliteStore.load`, whole. */
  readonly loads: readonly Section[];
  /** From `BEGIN IMMEDIATE` to the end of the transaction, with all that the store does between them. */
  readonly transactions: readonly Section[];
  /** How many of these found the file locked, and ended there. */
  readonly locked: number;
}

/**
 * Linux counts how long the main thread has waited for a core: the second number here, in nanoseconds. (proc(5))
 * Elsewhere it is unknown, and counts as 0.
 */
const schedule = process.platform === "linux" ? openSync("/proc/self/schedstat", "r") : undefined;
const bytes = Buffer.alloc(100);

/** Starts to watch the event loop of this process; returns a function that ends that. */
export function watchLoop(): () => LoopWatch {
  const [firstLoad, firstTransaction, firstLocked] = [loads.length, transactions.length, locked];
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  const queuedBefore = queuedMs();
  const start = performance.now();
  delays.enable();
  return () => {
    delays.disable();
    const delayMs = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
    return {
      seconds: (performance.now() - start) / 1000,
      p50Ms: delayMs(delays.percentile(50)),
      p99Ms: delayMs(delays.percentile(99)),
      longestMs: delayMs(delays.max),
      queuedMs: queuedMs() - queuedBefore,
      loads: loads.slice(firstLoad),
      transactions: transactions.slice(firstTransaction),
      locked: locked - firstLocked,
    };
  };
}

/**
 * Times embedded stores from outside: their `load`, and their transactions by the statements that begin and end them.
 * Call it before a store is made.
 */
export function timeSqliteStores(): void {
  const load = createRequire(__filename);
  const { SqliteStore } = load("../dist/stores/sqlite/sqlite-store.js") as typeof CoatcheckSqlite;
  const loadRecord = Object.getOwnPropertyDescriptor(SqliteStore.prototype, "load")?.value as (id: string) => unknown;
  Object.defineProperty(SqliteStore.prototype, "load", {
    value(this: unknown, id: string) {
      const end = stopwatch();
      try {
        return loadRecord.call(this, id);
      } finally {
        loads.push(end());
      }
    },
  });

  const own = process.getBuiltinModule("node:sqlite") as Driver | undefined;
  const driver = own ?? (load(PEER) as Driver);
  const DatabaseSync = class extends driver.DatabaseSync {
    override prepare(sql: string): Statement {
      const statement = super.prepare(sql);
      const run = RUNS[sql];
      if (run !== undefined) Object.defineProperty(statement, "run", { value: () => run(statement) });
      return statement;
    }
  };
  if (own !== undefined) own.DatabaseSync = DatabaseSync;
  // What the peer exports can't be assigned to.
  else load.cache[load.resolve(PEER)]!.exports = { ...driver, DatabaseSync };
}

/** What the store uses on Node 20. */
const PEER = "@photostructure/sqlite";

const loads: Section[] = [];
const transactions: Section[] = [];
let locked = 0;
let endTransaction: (() => Section) | undefined;

interface Statement {
  run(): unknown;
}
interface Driver {
  DatabaseSync: new (path: string) => { prepare(sql: string): Statement };
}

/** What runs these statements, which have no values. */
const RUNS: Readonly<Record<string, (statement: Statement) => unknown>> = {
  "BEGIN IMMEDIATE": (statement) => {
    endTransaction = stopwatch();
    try {
      return runOf(statement);
    } catch (error) {
      locked += 1;
      ended();
      throw error;
    }
  },
  COMMIT: runAndEnd,
  ROLLBACK: runAndEnd,
};

function runAndEnd(statement: Statement): unknown {
  try {
    return runOf(statement);
  } finally {
    ended();
  }
}

function runOf(statement: Statement): unknown {
  return (Object.getPrototypeOf(statement) as Statement).run.call(statement);
}

function ended(): void {
  if (endTransaction !== undefined) transactions.push(endTransaction());
  endTransaction = undefined;
}

function stopwatch(): () => Section {
  const queuedBefore = queuedMs();
  const start = performance.now();
  return () => {
    const wallMs = performance.now() - start;
    return { wallMs, queuedMs: queuedMs() - queuedBefore };
  };
}

function queuedMs(): number {
  if (schedule === undefined) return 0;
  const length = readSync(schedule, bytes, 0, bytes.length, 0);
  return Number(bytes.toString("latin1", 0, length).split(" ", 2)[1]) / 1e6;
}
