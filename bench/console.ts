import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { SessionReader } from "../lib/admin/listing/session-reader";
import { sortedPart } from "../lib/admin/listing/sorted-listing";
import type { SortedQuery } from "../lib/admin/listing/sorted-listing";
import { dictionary, GUEST_USER } from "../lib/record/session-record";
import type { SessionRecord } from "../lib/record/session-record";
import type { SessionStore } from "../lib/stores/store";
import { PostgresStore } from "../lib/stores/postgres/postgres-store";
import { RedisStore } from "../lib/stores/redis/redis-store";
import { SqliteStore } from "../lib/stores/sqlite/sqlite-store";
import { median } from "./statistics";

/*
 * How long the console's listings take with few and with many sessions: `npx tsx bench/console.ts STORE COUNT`, where
 * STORE is sqlite, postgres (at BENCH_POSTGRES) or redis (at BENCH_REDIS). It makes that many sessions, and removes
 * what it made.
 */

const HOUR = 3_600_000;
const AT_ONCE = 2_000;
const ROUNDS = 9;
const SCHEMA = "coatcheck_console_bench";
const PREFIX = "coatcheck-console-bench:";
const { BENCH_POSTGRES = "postgres://postgres@127.0.0.1:5432/postgres", BENCH_REDIS = "redis://127.0.0.1:6379" } =
  process.env;

const QUERIES: Readonly<Record<string, Partial<SortedQuery>>> = {
  "newest first": {},
  "one user": { username: "user-77" },
  "search of a user's name": { search: "user-77" },
  "search of an id": { search: "Abcd1" },
};

async function main([name = "sqlite", countText = "1000"]: readonly string[]): Promise<void> {
  const count = Number(countText);
  const { store, fill, remove } = await openStore(name);
  try {
    await fill(count);
    const reader = new SessionReader({
      store,
      now: Date.now,
      isAuthorized: () => true,
      unwrittenBytes: () => undefined,
    });
    console.log(`${name}, ${count} sessions; median of ${ROUNDS}, in ms`);
    for (const [what, query] of Object.entries(QUERIES)) {
      const times = await timed(() => sortedPart(reader, { sort: "age", offset: 0, limit: 50, ...query }));
      console.log(`  ${what}: ${times}`);
    }
    console.log(`  count: ${await timed(() => store.tally(Date.now()))}`);
  } finally {
    await remove();
  }
}

async function timed(work: () => Promise<unknown>): Promise<string> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const started = performance.now();
    await work();
    times.push(performance.now() - started);
  }
  return median(times).toFixed(1);
}

interface Opened {
  readonly store: SessionStore;
  readonly fill: (count: number) => Promise<void>;
  readonly remove: () => Promise<void>;
}

async function openStore(name: string): Promise<Opened> {
  if (name === "postgres") return openPostgres();
  const directory = await mkdtemp(join(tmpdir(), "console-bench-"));
  const store =
    name === "redis" ? new RedisStore({ url: BENCH_REDIS, prefix: PREFIX }) : new SqliteStore({ path: directory });
  return {
    store,
    fill: (count) => createAll(store, count),
    remove: async () => {
      if (name === "redis") await endAll(store);
      await store.close();
      await rm(directory, { recursive: true });
    },
  };
}

async function createAll(store: SessionStore, count: number): Promise<void> {
  for (let done = 0; done < count; done += AT_ONCE) {
    const batch = Array.from({ length: Math.min(AT_ONCE, count - done) }, (_, index) => record(done + index));
    await Promise.all(batch.map((one) => store.create(one)));
  }
}

async function endAll(store: SessionStore): Promise<void> {
  let ids: string[] = [];
  const end = async () => {
    await Promise.all(ids.map((id) => store.end(id, { endedAt: 1, reason: "killed", endedBy: null, purgeAt: 0 })));
    ids = [];
  };
  for await (const { id } of store.find({ state: "live", fields: "header" })) {
    if (ids.push(id) === AT_ONCE) await end();
  }
  await end();
}

/** Nine of ten sessions are of users, two each. */
function record(index: number): SessionRecord {
  const createdAt = Date.now() - Math.floor(Math.random() * HOUR);
  return {
    v: 1,
    id: randomBytes(32).toString("base64url"),
    owner: index % 10 === 0 ? GUEST_USER : `user-${index >> 1}`,
    project: "",
    scope: "browser",
    createdAt,
    lastSeenAt: createdAt,
    idleMs: 12 * HOUR,
    endsAt: createdAt + 24 * HOUR,
    expiresAt: createdAt + 12 * HOUR,
    purgeAt: createdAt + 36 * HOUR,
    remoteAddress: `203.0.113.${index % 250}`,
    userAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    data: Object.assign(dictionary<string>(), { cart: '{"items":[1,2,3]}' }),
    attributes: dictionary(),
    keys: dictionary(),
    pages: dictionary(),
    counters: dictionary(),
  };
}

/** One row is created, and copied by PostgreSQL itself. */
async function openPostgres(): Promise<Opened> {
  const client = new Client({ connectionString: BENCH_POSTGRES });
  await client.connect();
  await client.query(`DROP SCHEMA IF EXISTS ${SCHEMA} CASCADE`);
  const store = new PostgresStore({ url: BENCH_POSTGRES, schema: SCHEMA });
  const table = `${SCHEMA}.coatcheck_session`;
  return {
    store,
    fill: async (count) => {
      await store.create(record(1));
      const found = await client.query(
        `SELECT table_name AS name FROM information_schema.columns WHERE table_schema = $1 AND column_name = 'last_seen_at' AND table_name NOT LIKE '%ended'`,
        [SCHEMA],
      );
      const name = `${SCHEMA}.${(found.rows[0] as { name: string } | undefined)?.name ?? table}`;
      await client.query(
        `INSERT INTO ${name} SELECT translate(encode(sha256(('x' || n)::bytea), 'base64'), '+/=', '-_'), format, version,
          CASE WHEN n % 10 = 0 THEN '${GUEST_USER}' ELSE 'user-' || (n / 2) END, project, scope,
          created_at - random() * 3600000, last_seen_at, idle_ms, ends_at, expires_at, purge_at, sweep,
          '203.0.113.' || (n % 250), user_agent, data, attributes, keys, pages, counters
          FROM ${name}, generate_series(2, ${count}) AS n`,
      );
      await client.query(`VACUUM ANALYZE ${name}`);
    },
    remove: async () => {
      await store.close();
      await client.query(`DROP SCHEMA ${SCHEMA} CASCADE`);
      await client.end();
    },
  };
}

void main(process.argv.slice(2));
