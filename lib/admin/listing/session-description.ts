import { encodedBytes } from "../../record/value/value-encoding";
import { isEnded } from "../../record/session-record";
import type { EndedRecord, SessionRecord } from "../../record/session-record";
import type { SessionInfo } from "./session-info";

/** A key of a session's data: its name, never its value. */
export interface DataDescription {
  readonly name: string;
  /** The size of the stored value. */
  readonly bytes: number;
}

/** An attribute: its name and what is known of it, never its value. */
export interface AttributeDescription extends DataDescription {
  readonly encrypted: boolean;
  readonly createdAt: Date;
  readonly modifiedAt: Date;
  /** Null where it ends with its session. */
  readonly expiresAt: Date | null;
}

/** Everything that may be told of one session. */
export interface SessionDescription {
  readonly info: SessionInfo;
  /** In the order of their names; empty for a session that is over. */
  readonly data: readonly DataDescription[];
  readonly attributes: readonly AttributeDescription[];
}

/** What a record holds at `now`, without a value. What has expired is not there. */
export function describeSession(
  record: SessionRecord | EndedRecord,
  info: SessionInfo,
  now: number,
): SessionDescription {
  if (isEnded(record) || info.endedAt !== null) return { info, data: [], attributes: [] };
  const data = Object.entries(record.data).map(([name, value]) => ({ name, bytes: encodedBytes(value) }));
  const attributes = Object.entries(record.attributes)
    .filter(([, attribute]) => now < attribute.expiresAt)
    .map(([name, attribute]) => ({
      name,
      bytes: encodedBytes(attribute.value),
      encrypted: attribute.encrypted,
      createdAt: new Date(attribute.createdAt),
      modifiedAt: new Date(attribute.modifiedAt),
      expiresAt: Number.isFinite(attribute.expiresAt) ? new Date(attribute.expiresAt) : null,
    }));
  return { info, data: data.sort(byName), attributes: attributes.sort(byName) };
}

function byName(a: DataDescription, b: DataDescription): number {
  return a.name < b.name ? -1 : 1;
}
