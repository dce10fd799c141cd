import { SessionError } from "../../errors";
import { liveAttributes } from "../../record/expiry";
import { recordBytes, recordGrowth } from "../../record/record-size";
import type { SessionDelta } from "../../record/session-delta";
import type { Encoded, SessionRecord } from "../../record/session-record";
import type { SessionPolicy } from "./session-policy";

/** Refuses a new record of more than `maxBytes`: `SESSION_TOO_LARGE`. */
export function assertRecordFits(record: SessionRecord, maxBytes: number): void {
  assertBytes(recordBytes(record, record.data), maxBytes);
}

/**
 * Refuses a change after which the record, with these data, has more than `maxBytes`: `SESSION_TOO_LARGE`. A change that
 * shrinks it always fits; what has expired in it is not counted, as it goes with the change.
 */
export function assertChangeFits(
  record: SessionRecord,
  data: Readonly<Record<string, Encoded>>,
  change: SessionDelta,
  { maxBytes, now }: Pick<SessionPolicy, "maxBytes" | "now">,
): void {
  const growth = recordGrowth(record, data, change);
  if (growth <= 0 || recordBytes(record, data) + growth <= maxBytes) return;
  const live = { ...record, attributes: liveAttributes(record.attributes, now()) };
  assertBytes(recordBytes(live, data) + recordGrowth(live, data, change), maxBytes);
}

function assertBytes(bytes: number, maxBytes: number): void {
  if (bytes <= maxBytes) return;
  throw new SessionError(
    "SESSION_TOO_LARGE",
    `The session would have ${bytes} bytes, and maxBytes is ${maxBytes}; keep large things elsewhere and their id here.`,
  );
}
