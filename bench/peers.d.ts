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

declare module "better-auth" {
  export interface Options {
    database: unknown;
    secret: string;
    baseURL: string;
    emailAndPassword: { enabled: true; password: { hash: (password: string) => Promise<string> } };
    session: {
      disableSessionRefresh: true;
      additionalFields: Record<string, { type: "string"; input: false; defaultValue: string }>;
    };
    advanced: { database: { joins?: boolean } };
  }
  export const betterAuth: (options: Options) => {
    api: {
      signUpEmail(asked: {
        body: { name: string; email: string; password: string };
        headers: Headers;
        returnHeaders: true;
      }): Promise<{ headers: Headers }>;
      getSession(asked: { headers: Headers }): Promise<{ session: object; user: object } | null>;
    };
  };
}

declare module "better-auth/db/migration" {
  import type { Options } from "better-auth";

  export const getMigrations: (options: Options) => Promise<{ runMigrations(): Promise<void> }>;
}

declare module "better-auth/node" {
  import type { IncomingHttpHeaders } from "node:http";

  export const fromNodeHeaders: (headers: IncomingHttpHeaders) => Headers;
}
