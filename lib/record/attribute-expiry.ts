import { dictionary } from "./dictionary";
import { isExpired } from "./expiry";
import type { SessionDelta } from "./session-delta";
import type { AttributeRecord, SessionRecord } from "./session-record";

type Attributes = Readonly<Record<string, AttributeRecord>>;

/** Whether there is an attribute that has expired: it counts as absent, and waits to be removed. */
export function hasExpired(attributes: Attributes, now: number): boolean {
  // The maps have no prototype; for an empty one, as most are, this is all there is to do.
  for (const name in attributes) {
    const attribute = attributes[name];
    if (attribute !== undefined && isExpired(attribute, now)) return true;
  }
  return false;
}

/** The attributes that are there at `now`; the map itself where all of them are. */
export function liveAttributes(attributes: Attributes, now: number): Attributes {
  if (!hasExpired(attributes, now)) return attributes;
  const live = dictionary<AttributeRecord>();
  for (const [name, attribute] of Object.entries(attributes)) if (!isExpired(attribute, now)) live[name] = attribute;
  return live;
}

/**
 * The change, with the removal of what has expired in the record that it is made for. Only for the record as it is
 * stored now: by an older one, it could remove what a parallel request has created anew.
 */
export function sweeping(current: SessionRecord, change: SessionDelta, now: number): SessionDelta {
  if (!hasExpired(current.attributes, now)) return change;
  const { set = dictionary<AttributeRecord>(), remove = [] } = change.attributes ?? {};
  const removed = new Set(remove);
  for (const [name, attribute] of Object.entries(current.attributes)) {
    if (isExpired(attribute, now) && set[name] === undefined) removed.add(name);
  }
  return { ...change, attributes: { set, remove: [...removed] } };
}
