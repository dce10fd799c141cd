import { strict as assert } from "node:assert";
import { createHash, randomUUID } from "node:crypto";
import { dictionary, GUEST_USER } from "../../record/session-record";
import type { EndedRecord, Ending, SessionRecord } from "../../record/session-record";
import type { FindQuery, SessionStore } from "../../stores/store";

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;

export function idOf(text: string): string {
  return createHash("sha256").update(text).digest("base64url");
}

/** A map without a prototype, as records have them. */
export function map<T>(entries: Record<string, T>): Record<string, T> {
  return Object.assign(dictionary<T>(), entries);
}

/** A live record with a fresh id: a guest's session of one hour without data, but for the fields given. */
export function liveRecord(fields: Partial<SessionRecord> = {}): SessionRecord {
  const now = Date.now();
  return {
    v: 1,
    id: idOf(randomUUID()),
    owner: GUEST_USER,
    project: "",
    scope: "browser",
    createdAt: now,
    lastSeenAt: now,
    idleMs: HOUR,
    endsAt: now + 24 * HOUR,
    expiresAt: now + HOUR,
    purgeAt: now + 25 * HOUR,
    remoteAddress: "127.0.0.1",
    userAgent: "contract",
    data: dictionary(),
    attributes: dictionary(),
    keys: dictionary(),
    pages: dictionary(),
    counters: dictionary(),
    ...fields,
  };
}

/** A live record with something in every field. */
export function fullRecord(): SessionRecord {
  const now = Date.now();
  return liveRecord({
    owner: "alice",
    project: "shop",
    scope: "ios",
    remoteAddress: "2001:db8::1",
    userAgent: "Mozilla/5.0 (é 🍵)",
    data: map<string | Uint8Array>({ text: '{"a":[1,"é🍵"]}', bytes: Uint8Array.of(255, 13, 0, 1), empty: '""' }),
    attributes: map({
      plain: { value: '"v"', encrypted: false, createdAt: now, modifiedAt: now + 1, expiresAt: Infinity },
      sealed: {
        value: Uint8Array.of(1, 2, 3),
        encrypted: true,
        createdAt: now,
        modifiedAt: now,
        expiresAt: now + HOUR,
      },
    }),
    keys: map({ k: { payload: "null", createdAt: now, expiresAt: now + HOUR } }),
    pages: map({ p: { path: "/tea", title: "Tea", openedAt: now, seenAt: now } }),
    counters: map({ requests: 3 }),
  });
}

export function endingOf(record: SessionRecord, reason: Ending["reason"] = "killed"): Ending {
  const endedAt = record.lastSeenAt + MINUTE;
  return { endedAt, reason, endedBy: "admin", purgeAt: endedAt + 24 * HOUR };
}

/** The live record; fails where there is none. */
export async function loaded(store: SessionStore, id: string): Promise<SessionRecord> {
  const record = await store.load(id);
  assert.ok(record, "the record is live");
  return record;
}

export async function endedOf(store: SessionStore, id: string): Promise<EndedRecord | undefined> {
  for await (const record of store.find({ state: "ended", id })) return record as EndedRecord;
  return undefined;
}

export async function idsOf(store: SessionStore, query: FindQuery): Promise<string[]> {
  return (await found(store, query)).sort();
}

/** The ids in the order in which they are found. */
export async function found(store: SessionStore, query: FindQuery): Promise<string[]> {
  const ids: string[] = [];
  for await (const record of store.find(query)) ids.push(record.id);
  return ids;
}

/** The same content in ordinary objects and Buffers, so that deepEqual compares content only. */
export function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}

/** Puts another session in the place of this one, and returns it. */
export async function replaced(store: SessionStore, old: SessionRecord): Promise<SessionRecord> {
  let successor = liveRecord({ owner: old.owner });
  while (store.isPlacedWith?.(successor.id, old.id) === false) successor = liveRecord({ owner: old.owner });
  assert.equal(await store.replace(old.id, endingOf(old, "reset"), successor), true);
  return successor;
}
