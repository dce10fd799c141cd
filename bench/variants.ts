import { createRequire } from "node:module";
import { join } from "node:path";
import type { Express } from "express";
import type CookieSession from "cookie-session";
import type Database from "better-sqlite3";
import type ExpressSession from "express-session";
import type SqliteStore from "better-sqlite3-session-store";
import type * as Coatcheck from "coatcheck";
import type * as CoatcheckLmdb from "coatcheck/lmdb";
import type * as CoatcheckTesting from "coatcheck/testing";
import type * as ConnectRedis from "connect-redis";
import type * as Redis from "redis";

/** One way to give the same app sessions. */
export interface Variant {
  readonly name: string;
  /** Modules that must be there, as `require` resolves them from this folder. */
  readonly needs: readonly string[];
  /** Whether the benchmark goes on without it. */
  readonly optional?: true;
  /** A server that must be listening for this variant, on 127.0.0.1. */
  readonly port?: number;
  readonly survivesRestart: boolean;
  /** Puts the sessions before the app's routes; `folder` is empty at first and kept over a restart. Answers how to close. */
  install(app: Express, folder: string): Promise<Close> | Close;
}

type Close = () => Promise<void> | void;

export const BARE = "bare Express";
export const REFERENCE = "express-session, MemoryStore";
export const MEMORY = "coatcheck, memory";
export const EMBEDDED = "coatcheck, embedded";

// Loaded only in the server that measures it; ours as it is published, not as it is written.
const load = createRequire(__filename);
const OURS = "../dist/index.js";
const OUR_LMDB = "../dist/stores/lmdb-store.js";
const OUR_TESTING = "../dist/testing.js";

const REDIS_PORT = 6379;
const SECRET = "a secret that only the benchmark knows";

export const VARIANTS: readonly Variant[] = [
  { name: BARE, needs: [], survivesRestart: false, install: () => nothing },
  {
    name: MEMORY,
    needs: [OURS, OUR_TESTING],
    survivesRestart: false,
    install: (app) => installOurs(app, new (load(OUR_TESTING) as typeof CoatcheckTesting).MemoryStore()),
  },
  {
    name: EMBEDDED,
    needs: [OURS, OUR_LMDB],
    survivesRestart: true,
    install: (app, folder) =>
      installOurs(app, new (load(OUR_LMDB) as typeof CoatcheckLmdb).LmdbStore({ path: folder })),
  },
  {
    name: REFERENCE,
    needs: ["express-session"],
    survivesRestart: false,
    install: (app) => installExpressSession(app),
  },
  {
    name: "cookie-session",
    needs: ["cookie-session"],
    survivesRestart: true,
    install: (app) => {
      const cookieSession = load("cookie-session") as typeof CookieSession;
      app.use(cookieSession({ keys: [SECRET] }));
      return nothing;
    },
  },
  {
    name: "express-session, Redis",
    needs: ["express-session", "redis", "connect-redis"],
    optional: true,
    port: REDIS_PORT,
    survivesRestart: true,
    install: async (app) => {
      const client = (load("redis") as typeof Redis).createClient({ url: `redis://127.0.0.1:${REDIS_PORT}` });
      await client.connect();
      installExpressSession(app, new (load("connect-redis") as typeof ConnectRedis).RedisStore({ client }));
      return () => client.close();
    },
  },
  {
    name: "express-session, better-sqlite3",
    needs: ["express-session", "better-sqlite3", "better-sqlite3-session-store"],
    optional: true,
    survivesRestart: true,
    install: (app, folder) => {
      const client = new (load("better-sqlite3") as typeof Database)(join(folder, "sessions.db"));
      const Store = (load("better-sqlite3-session-store") as typeof SqliteStore)(load("express-session"));
      installExpressSession(app, new Store({ client }));
      return () => client.close();
    },
  },
];

/** The modules of a variant that are not on this machine. */
export function missingModules(variant: Variant): string[] {
  return variant.needs.filter((name) => {
    try {
      load.resolve(name);
      return false;
    } catch {
      return true;
    }
  });
}

function installOurs(app: Express, store: Coatcheck.SessionStore): Close {
  const { sessionMiddleware } = load(OURS) as typeof Coatcheck;
  // The servers are in production mode, where sessions on plain HTTP have to be asked for.
  app.use(sessionMiddleware({ store, clearSchedule: false, cookie: { secure: false } }));
  return () => store.close();
}

function installExpressSession(app: Express, store?: unknown): Close {
  const session = load("express-session") as typeof ExpressSession;
  app.use(
    session({ secret: SECRET, resave: false, saveUninitialized: false, ...(store === undefined ? {} : { store }) }),
  );
  return nothing;
}

function nothing(): void {
  // Nothing to close.
}
