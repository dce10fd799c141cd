/** The little that the benchmark needs to know of packages that come without types, or that may be absent. */

declare module "express-session" {
  import type { RequestHandler } from "express";

  const session: (options: {
    secret: string;
    resave: boolean;
    saveUninitialized: boolean;
    store?: unknown;
  }) => RequestHandler;
  export = session;
}

declare module "cookie-session" {
  import type { RequestHandler } from "express";

  const cookieSession: (options: { keys: string[] }) => RequestHandler;
  export = cookieSession;
}

declare module "connect-redis" {
  export const RedisStore: new (options: { client: unknown; disableTouch?: boolean }) => unknown;
}

declare module "connect-pg-simple" {
  const withSession: (
    session: unknown,
  ) => new (options: {
    pool: unknown;
    schemaName?: string;
    createTableIfMissing?: boolean;
    disableTouch?: boolean;
  }) => unknown;
  export = withSession;
}

declare module "better-sqlite3" {
  const Database: new (file: string) => { pragma(statement: string): unknown; close(): void };
  export = Database;
}

declare module "better-sqlite3-session-store" {
  const withSession: (session: unknown) => new (options: { client: unknown }) => unknown;
  export = withSession;
}
