import type { AttributeRecord, PageRecord, SecurityKeyRecord } from "../../../record/session-record";
import type { PropertyReader } from "./property-value";

/** The attributes of the live record whose properties these are. `SESSION_UNREADABLE` where they are damaged. */
export function readAttributes(from: PropertyReader): Record<string, AttributeRecord> {
  return from.entities("attributes", (attribute) => ({
    value: attribute.encoded("value"),
    encrypted: attribute.boolean("encrypted"),
    createdAt: attribute.number("createdAt"),
    modifiedAt: attribute.number("modifiedAt"),
    expiresAt: attribute.number("expiresAt"),
  }));
}

export function readSecurityKeys(from: PropertyReader): Record<string, SecurityKeyRecord> {
  return from.entities("keys", (key) => ({
    payload: key.encoded("payload"),
    createdAt: key.number("createdAt"),
    expiresAt: key.number("expiresAt"),
  }));
}

export function readPages(from: PropertyReader): Record<string, PageRecord> {
  return from.entities("pages", (page) => ({
    path: page.text("path"),
    openedAt: page.number("openedAt"),
    seenAt: page.number("seenAt"),
  }));
}
