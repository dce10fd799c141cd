import { createRequire } from "node:module";
import type { Express } from "express";
import type ExpressSession from "express-session";
import type * as Coatcheck from "coatcheck";

export type Close = () => Promise<void> | void;

/** Modules are loaded only in the server that is measured; ours as they are published. */
export const load = createRequire(__filename);

export const OURS = "../dist/index.js";

export const SECRET = "a secret that only the benchmark knows";

export function installOurs(app: Express, store: Coatcheck.SessionStore): Close {
  const { sessionMiddleware } = load(OURS) as typeof Coatcheck;
  // The servers are in production mode, in which sessions on plain HTTP need an option. What the clearing job costs
  // is measured by itself.
  app.use(sessionMiddleware({ store, clearSchedule: false, cookie: { secure: false } }));
  return () => store.close();
}

export function installExpressSession(app: Express, store?: unknown): Close {
  const session = load("express-session") as typeof ExpressSession;
  app.use(
    session({ secret: SECRET, resave: false, saveUninitialized: false, ...(store === undefined ? {} : { store }) }),
  );
  return nothing;
}

export function nothing(): void {
  // Nothing to close.
}
