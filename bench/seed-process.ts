/** Fills a session folder: `seed-process.ts <folder> <sessions> <how many of them are due>`. Ten sessions for each user. */
import { randomBytes } from "node:crypto";
import { createRequire } from "node:module";
import type { SessionRecord } from "coatcheck";
import type * as CoatcheckLmdb from "coatcheck/lmdb";
import { CONTENT } from "./session-data";

export const SESSIONS_PER_USER = 10;

const HOUR = 3_600_000;
/** In no order in this window, so that pages are as full as those of a store that has grown. */
const WINDOW = 20_000;
/** So many are created at once, as by requests: larger transactions would leave another list of free pages behind. */
const AT_ONCE = 256;

const [folder = "", sessions = "0", due = "0"] = process.argv.slice(2);
if (require.main === module) void fill(folder, Number(sessions), Number(due));

async function fill(path: string, count: number, dueCount: number): Promise<void> {
  const { LmdbStore } = createRequire(__filename)("../dist/stores/lmdb-store.js") as typeof CoatcheckLmdb;
  const store = new LmdbStore({ path });
  // In the order of the ids: a hundred times as fast as in no order, and the same in the end.
  const ids = Array.from({ length: count }, () => randomBytes(32).toString("base64url")).sort();
  const now = Date.now();
  for (let start = 0; start < count; start += WINDOW) {
    const records = ids.slice(start, start + WINDOW).map((id, at) => {
      const n = start + at;
      const isDue = Math.floor(((n + 1) * dueCount) / count) > Math.floor((n * dueCount) / count);
      return sessionRecord(id, ownerOf(n, count), isDue ? now - HOUR - Math.random() * HOUR : now + 24 * HOUR);
    });
    records.sort(() => Math.random() - 0.5);
    await Promise.all(Array.from({ length: AT_ONCE }, () => createAll(store, records)));
  }
  await store.close();
}

async function createAll(store: CoatcheckLmdb.LmdbStore, records: SessionRecord[]): Promise<void> {
  for (let record = records.pop(); record !== undefined; record = records.pop()) await store.create(record);
}

/** Every user's sessions lie far apart. */
export function ownerOf(n: number, count: number): string {
  return `user-${n % Math.max(1, Math.floor(count / SESSIONS_PER_USER))}`;
}

/** A session of 200 B, which could be cleared from `purgeAt` on. */
export function sessionRecord(id: string, owner: string, purgeAt: number): SessionRecord {
  return {
    v: 1,
    id,
    owner,
    project: "",
    scope: "browser",
    createdAt: purgeAt - HOUR,
    lastSeenAt: purgeAt - HOUR,
    idleMs: HOUR,
    endsAt: purgeAt + 23 * HOUR,
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
