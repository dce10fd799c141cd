import { readFileSync } from "node:fs";

/** The kinds of events that `power-cut-shim.c` records, in the order of their numbers there. */
const KINDS = ["open", "close", "write", "truncate", "syncStarted", "syncEnded", "unlink", "rename", "mkdir"] as const;
const HEADER_BYTES = 24;

/** One thing that a process did to a file. */
export interface TraceEvent {
  readonly kind: (typeof KINDS)[number];
  /** The process and its descriptor. */
  readonly handle: string;
  /**
   * For a write, where it begins; for a truncation, the size after it; for an open, 1 if it created the file and 2 if
   * it emptied it.
   */
  readonly number: number;
  /** Connects the end of a sync with its start. */
  readonly sync: string;
  /** What was written, or a path. */
  readonly data: Buffer;
}

export function readTrace(path: string): TraceEvent[] {
  const log = readFileSync(path);
  const events: TraceEvent[] = [];
  for (let at = 0; at < log.length;) {
    const kind = KINDS[log.readUInt32LE(at) - 1];
    if (kind === undefined) throw new Error(`The trace has an event of an unknown kind at ${at}.`);
    const pid = log.readUInt32LE(at + 4);
    const number = Number(log.readBigInt64LE(at + 16));
    const start = at + HEADER_BYTES;
    const data = log.subarray(start, start + log.readUInt32LE(at + 12));
    events.push({ kind, handle: `${pid}:${log.readInt32LE(at + 8)}`, number, sync: `${pid}:${number}`, data });
    at = start + data.length;
  }
  return events;
}
