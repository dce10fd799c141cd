import { basename, join } from "node:path";
import type { Express, Request } from "express";
import type CookieSession from "cookie-session";
import type Database from "better-sqlite3";
import type SqliteStore from "better-sqlite3-session-store";
import type * as CoatcheckDatastore from "coatcheck/datastore";
import type * as CoatcheckShapes from "coatcheck/express-shapes";
import type * as CoatcheckSqlite from "coatcheck/sqlite";
import type * as CoatcheckTesting from "coatcheck/testing";
import type * as ConnectDatastore from "@google-cloud/connect-datastore";
import type * as GoogleDatastore from "@google-cloud/datastore";
import type * as IronSession from "iron-session";
import { BETTER_AUTH, BETTER_AUTH_JOINS, betterAuthVariant } from "./better-auth-variant";
import { OUR_DATABASE_VARIANTS, PEER_DATABASE_VARIANTS } from "./database-variants";
import { OURS, SECRET, installExpressSession, installOurs, load, nothing } from "./install";
import type { Close } from "./install";
import type { Operation } from "./load";
import type { PeerPackage } from "./peer-package";
import type { Service } from "./services";
import type { Size } from "./session-data";

/**
 * One way to give the same app sessions. Each is set up as its own documentation recommends for production, and none
 * gets help that another does not.
 */
export interface Variant {
  readonly name: string;
  /** What the sessions of the others are compared with: the app itself keeps one object for all. */
  readonly withoutSessions?: true;
  /** Modules that must be there, as `require` resolves them from this folder. */
  readonly needs: readonly string[];
  /** The package that the benchmark installs for it. */
  readonly installs?: PeerPackage;
  /** Whether the benchmark goes on without it. */
  readonly optional?: true;
  /** What the benchmark starts for this variant. */
  readonly service?: Service;
  /** The sizes that it can hold at all; every size if absent. */
  readonly holds?: readonly Size[];
  /** What it can do at all; every operation if absent. */
  readonly does?: readonly Operation[];
  /** Saves what a route has changed, if the route has to ask for that. */
  save?(req: Request): Promise<void>;
  readonly survivesRestart: boolean;
  /**
   * Puts the sessions before the app's routes; `folder` is empty at first and kept over a restart. Returns how to close
   * them.
   */
  install(app: Express, folder: string): Promise<Close> | Close;
}

export const BARE = "bare Express";
export const SHAPES = "Express with shapes";
export const REFERENCE = "express-session, MemoryStore";
export const MEMORY = "coatcheck, memory";
export const EMBEDDED = "coatcheck, embedded";
export const DATASTORE = "coatcheck, Datastore";
export const BETTER_SQLITE = "express-session, better-sqlite3";
export const CONNECT_DATASTORE = "express-session, connect-datastore";

const OUR_SQLITE = "../dist/stores/sqlite/sqlite-store.js";
const OUR_DATASTORE = "../dist/stores/datastore/datastore-store.js";
const OUR_SHAPES = "../dist/express-shapes.js";
const OUR_TESTING = "../dist/testing/index.js";

export const VARIANTS: readonly Variant[] = [
  { name: BARE, withoutSessions: true, needs: [], survivesRestart: false, install: () => nothing },
  {
    // It makes any app cheaper, whatever keeps its sessions, so it has a row of its own and is used in no other.
    name: SHAPES,
    withoutSessions: true,
    needs: [OUR_SHAPES],
    survivesRestart: false,
    install: (app) => {
      const { expressShapes } = load(OUR_SHAPES) as typeof CoatcheckShapes;
      app.use(expressShapes());
      return nothing;
    },
  },
  {
    name: MEMORY,
    needs: [OURS, OUR_TESTING],
    survivesRestart: false,
    install: (app) => installOurs(app, new (load(OUR_TESTING) as typeof CoatcheckTesting).MemoryStore()),
  },
  {
    name: EMBEDDED,
    needs: [OURS, OUR_SQLITE],
    survivesRestart: true,
    install: (app, folder) =>
      installOurs(app, new (load(OUR_SQLITE) as typeof CoatcheckSqlite).SqliteStore({ path: folder })),
  },
  {
    name: DATASTORE,
    needs: [OURS, OUR_DATASTORE, "@google-cloud/datastore"],
    optional: true,
    service: "datastore",
    survivesRestart: true,
    install: (app, folder) => {
      const { DatastoreStore } = load(OUR_DATASTORE) as typeof CoatcheckDatastore;
      return installOurs(app, new DatastoreStore({ namespace: basename(folder) }));
    },
  },
  ...OUR_DATABASE_VARIANTS,
  {
    name: REFERENCE,
    needs: ["express-session"],
    survivesRestart: false,
    install: (app) => installExpressSession(app),
  },
  {
    name: CONNECT_DATASTORE,
    needs: ["express-session", "@google-cloud/datastore", "@google-cloud/connect-datastore"],
    optional: true,
    service: "datastore",
    survivesRestart: true,
    install: (app, folder) => {
      const { Datastore } = load("@google-cloud/datastore") as typeof GoogleDatastore;
      const { DatastoreStore } = load("@google-cloud/connect-datastore") as typeof ConnectDatastore;
      const dataset = new Datastore({ projectId: "demo-bench", namespace: basename(folder) });
      return installExpressSession(app, new DatastoreStore({ dataset: dataset, kind: "session" }));
    },
  },
  {
    name: "cookie-session",
    needs: ["cookie-session"],
    holds: ["200 B", "4 KB"],
    survivesRestart: true,
    install: (app) => {
      const cookieSession = load("cookie-session") as typeof CookieSession;
      app.use(cookieSession({ keys: [SECRET] }));
      return nothing;
    },
  },
  {
    name: "iron-session",
    needs: ["iron-session"],
    optional: true,
    // It refuses sessions that would make a cookie of more than 4,096 bytes.
    holds: ["200 B"],
    survivesRestart: true,
    install: (app) => {
      const { getIronSession } = load("iron-session") as typeof IronSession;
      const options = { password: SECRET, cookieName: "sid", cookieOptions: { secure: false } };
      app.use(async (req, res, next) => {
        // By its documentation, only handlers that want the session open it.
        if (req.path !== "/untouched") Object.assign(req, { session: await getIronSession(req, res, options) });
        next();
      });
      return nothing;
    },
    save: (req) => (req as unknown as { session: { save(): Promise<void> } }).session.save(),
  },
  ...PEER_DATABASE_VARIANTS,
  // With the defaults of its adapter, and with what its documentation says makes reading sessions faster.
  betterAuthVariant(BETTER_AUTH, {}),
  betterAuthVariant(BETTER_AUTH_JOINS, { joins: true }),
  {
    name: BETTER_SQLITE,
    needs: ["express-session", "better-sqlite3", "better-sqlite3-session-store"],
    optional: true,
    survivesRestart: true,
    install: (app, folder) => {
      const client = new (load("better-sqlite3") as typeof Database)(join(folder, "sessions.db"));
      // As the documentation of better-sqlite3 recommends; NORMAL is also what it is compiled with for WAL mode.
      client.pragma("journal_mode = WAL");
      client.pragma("synchronous = NORMAL");
      const Store = (load("better-sqlite3-session-store") as typeof SqliteStore)(load("express-session"));
      installExpressSession(app, new Store({ client }));
      return () => client.close();
    },
  },
];

/** Whether a session of this size can be kept at all. */
export function holds(variant: Variant, size: Size): boolean {
  return variant.holds?.includes(size) ?? true;
}

export function does(variant: Variant, operation: Operation): boolean {
  return variant.does?.includes(operation) ?? true;
}

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
