/**
 * Fills a store: `seed-process.ts <place> <sessions> <how many of them are due>`. Ten sessions for each user.
 */
import { randomBytes } from "node:crypto";
import type { SessionRecord, SessionStore } from "coatcheck";
import { openPlace } from "./places";
import type { Place } from "./places";
import { CONTENT } from "./session-data";

export const SESSIONS_PER_USER = 10;

const HOUR = 3_600_000;
/** How many are created at once, as by a crowd of requests. */
const AT_ONCE = 1000;
/** This share of the older sessions is due; the others are in use, and lie between them. */
const DUE_SHARE = 0.9;

const [place = "", sessions = "0", due = "0"] = process.argv.slice(2);
if (require.main === module) void fill(place, Number(sessions), Number(due));

async function fill(at: Place, count: number, dueCount: number): Promise<void> {
  const store = openPlace(at, { isFilled: true });
  const records = visits(count, dueCount);
  await Promise.all(Array.from({ length: AT_ONCE }, () => createAll(store, records)));
  await store.close();
}

async function createAll(store: SessionStore, records: Iterable<SessionRecord>): Promise<void> {
  for (const record of records) await store.create(record);
}

/** Makes sessions as visitors do: in the order of time, with random ids, each user's anywhere among the others. */
function* visits(count: number, dueCount: number): Generator<SessionRecord> {
  const now = Date.now();
  const users = shuffled(count);
  const older = Math.min(count, Math.ceil(dueCount / DUE_SHARE));
  let dueLeft = dueCount;
  for (let n = 0; n < count; n += 1) {
    const isOlder = n < older;
    // The older ones begin within two hours, the others within two more, until now.
    const createdAt = now - (isOlder ? 4 - (2 * n) / older : (2 * (count - n)) / (count - older)) * HOUR;
    const isDue = isOlder && Math.random() * (older - n) < dueLeft;
    if (isDue) dueLeft -= 1;
    const purgeAt = isDue ? createdAt + HOUR * (1 + Math.random() / 2) : now + HOUR * (24 + Math.random());
    yield sessionRecord(randomBytes(32).toString("base64url"), ownerOf(users[n] ?? 0, count), createdAt, purgeAt);
  }
}

/** The numbers below `count`, in random order. */
function shuffled(count: number): Uint32Array {
  const numbers = Uint32Array.from({ length: count }, (_, n) => n);
  for (let last = count - 1; last > 0; last -= 1) {
    const other = Math.floor(Math.random() * (last + 1));
    [numbers[last], numbers[other]] = [numbers[other] ?? 0, numbers[last] ?? 0];
  }
  return numbers;
}

export function ownerOf(n: number, count: number): string {
  return `user-${n % Math.max(1, Math.floor(count / SESSIONS_PER_USER))}`;
}

/** A session of 200 B that may be cleared from `purgeAt` on. */
export function sessionRecord(id: string, owner: string, createdAt: number, purgeAt: number): SessionRecord {
  return {
    v: 1,
    id,
    owner,
    project: "",
    scope: "browser",
    createdAt,
    lastSeenAt: purgeAt - HOUR,
    idleMs: HOUR,
    endsAt: createdAt + 48 * HOUR,
    expiresAt: purgeAt,
    purgeAt,
    remoteAddress: "203.0.113.7",
    userAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    data: Object.fromEntries(Object.entries(CONTENT["200 B"]).map(([key, value]) => [key, JSON.stringify(value)])),
    attributes: {},
    keys: {},
    pages: {},
    counters: {},
  };
}
