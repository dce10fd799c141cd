import { SessionError } from "../errors";
import { dataGrowth, recordBytes } from "../record/record-size";
import type { SessionDelta } from "../record/session-delta";
import type { Encoded, SessionRecord } from "../record/session-record";

/** Refuses a new record of more than `maxBytes`: `SESSION_TOO_LARGE`. */
export function assertRecordFits(record: SessionRecord, maxBytes: number): void {
  assertBytes(recordBytes(record, record.data), maxBytes);
}

/**
 * Refuses a change after which the record, with these data, has more than `maxBytes`: `SESSION_TOO_LARGE`. A change that
 * shrinks it always fits.
 */
export function assertChangeFits(
  record: SessionRecord,
  data: Readonly<Record<string, Encoded>>,
  change: SessionDelta,
  maxBytes: number,
): void {
  const growth = dataGrowth(data, change);
  if (growth > 0) assertBytes(recordBytes(record, data) + growth, maxBytes);
}

function assertBytes(bytes: number, maxBytes: number): void {
  if (bytes <= maxBytes) return;
  throw new SessionError(
    "SESSION_TOO_LARGE",
    `The session would have ${bytes} bytes, and maxBytes is ${maxBytes}; keep large things elsewhere and their id here.`,
  );
}
