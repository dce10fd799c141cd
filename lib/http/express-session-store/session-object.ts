import { SessionError } from "../../errors";
import { dictionary } from "../../record/session-record";
import type { Encoded, SessionRecord } from "../../record/session-record";
import type { MapDelta } from "../../record/session-delta";
import { baselineOf, changedForm, decodedValue } from "../../session/values/change-detection";
import { assertKey } from "../../session/values/session-values";
import type { SessionObject } from "./express-session-store";

/** Where express-session's sessions say when they end; not a key of the data. */
const COOKIE = "cookie";

/** A record, as far as data are compared with it. */
type Stored = Pick<SessionRecord, "id" | "data">;

/**
 * What `sessionObject` returned, as it was stored then, so that a `set` of it doesn't undo what others changed since.
 */
const givenOut = new WeakMap<object, Stored>();

/** A record as libraries read a session. */
export function sessionObject(record: SessionRecord, path: string): SessionObject {
  const { id, data, idleMs, expiresAt } = record;
  const stored = dictionary<Encoded>();
  const entries: [string, unknown][] = [];
  for (const [key, encoded] of Object.entries(data)) {
    if (key === COOKIE) continue;
    const value = decodedValue(key, encoded);
    entries.push([key, value]);
    stored[key] = baselineOf(key, value, encoded);
  }
  const expires = Number.isFinite(expiresAt) ? new Date(expiresAt) : null;
  const cookie = { originalMaxAge: Number.isFinite(idleMs) ? idleMs : null, expires, httpOnly: true, path };
  const object: SessionObject = Object.fromEntries([...entries, [COOKIE, cookie]]);
  givenOut.set(object, { id, data: stored });
  return object;
}

/** What a `set` of this session changes in the record; undefined for nothing. Throws `SESSION_VALUE`. */
export function dataDelta(session: object, record: Stored): MapDelta<Encoded> | undefined {
  const known = givenOut.get(session);
  const before = known?.id === record.id ? known.data : record.data;
  const set = dictionary<Encoded>();
  for (const [key, value] of Object.entries(asSession(session))) {
    if (key === COOKIE) continue;
    assertKey(key);
    const encoded = changedForm(key, value, before[key]);
    if (encoded !== undefined) set[key] = encoded;
  }
  const remove = Object.keys(before).filter((key) => key !== COOKIE && !Object.hasOwn(session, key));
  return Object.keys(set).length === 0 && remove.length === 0 ? undefined : { set, remove };
}

/** How long a session lives from `now` on, by its cookie, in milliseconds; undefined where that doesn't say. */
export function lifetimeMs(session: object, now: number): number | undefined {
  const { cookie } = asSession(session);
  if (typeof cookie !== "object" || cookie === null) return undefined;
  const { expires, maxAge, originalMaxAge } = cookie as Record<string, unknown>;
  const end = expires instanceof Date || typeof expires === "string" ? new Date(expires).getTime() : expires;
  const ms = [typeof end === "number" ? end - now : NaN, maxAge, originalMaxAge].find(Number.isFinite);
  return typeof ms === "number" ? Math.max(0, ms) : undefined;
}

function asSession(session: unknown): Record<string, unknown> {
  if (typeof session === "object" && session !== null) return session as Record<string, unknown>;
  throw new SessionError(
    "SESSION_ARGUMENT",
    `A session store takes a session, not ${session === null ? "null" : typeof session}.`,
  );
}
