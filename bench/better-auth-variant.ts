import { randomUUID } from "node:crypto";
import { basename } from "node:path";
import type * as BetterAuth from "better-auth";
import type * as BetterAuthMigration from "better-auth/db/migration";
import type * as BetterAuthNode from "better-auth/node";
import type * as Pg from "pg";
import { SECRET, load } from "./install";
import { importPeer } from "./peer-package";
import type { PeerPackage } from "./peer-package";
import { CONTENT } from "./session-data";
import type { Variant } from "./variants";

export const BETTER_AUTH = "better-auth, PostgreSQL";
export const BETTER_AUTH_JOINS = `${BETTER_AUTH}, joins`;

const PACKAGE: PeerPackage = { name: "better-auth", version: "1.7.25" };

/**
 * Reads only, since its sessions have no data of an app but columns that are declared beforehand. What it loads for a
 * request is the session, with a column for the language that the app reads, and its user: 550 B as JSON.
 */
export function betterAuthVariant(name: string, database: { readonly joins?: boolean }): Variant {
  return {
    name,
    needs: ["pg"],
    installs: PACKAGE,
    optional: true,
    service: "postgres",
    holds: ["200 B"],
    does: ["untouched", "read"],
    survivesRestart: true,
    install: async (app, folder) => {
      const { betterAuth } = (await importPeer("better-auth")) as typeof BetterAuth;
      const { getMigrations } = (await importPeer("better-auth/db/migration")) as typeof BetterAuthMigration;
      const { fromNodeHeaders } = (await importPeer("better-auth/node")) as typeof BetterAuthNode;
      const schema = `"${basename(folder)}"`;
      const pool = new (load("pg") as typeof Pg).Pool({
        connectionString: process.env.POSTGRES_URL ?? "",
        options: `-c search_path=${schema}`,
      });
      await pool.query(`CREATE SCHEMA IF NOT EXISTS ${schema}`);
      const options: BetterAuth.Options = {
        database: pool,
        secret: SECRET,
        baseURL: "http://localhost",
        // Signing up isn't measured, and its own hash would take 100 ms of CPU time for each of hundreds of visitors.
        emailAndPassword: { enabled: true, password: { hash: async (password) => password } },
        // By default, a session is renewed once a day, which is never while it is measured.
        session: {
          disableSessionRefresh: true,
          additionalFields: { language: { type: "string", input: false, defaultValue: CONTENT["200 B"].language } },
        },
        advanced: { database },
      };
      await (await getMigrations(options)).runMigrations();
      const { api } = betterAuth(options);

      app.get("/sign-in/:size", async (req, res) => {
        const { headers } = await api.signUpEmail({
          body: { name: "Alice Camellia", email: `${randomUUID()}@example.com`, password: randomUUID() },
          headers: fromNodeHeaders(req.headers),
          returnHeaders: true,
        });
        res.append("Set-Cookie", headers.getSetCookie()).send("signed in");
      });
      app.use(async (req, _res, next) => {
        // By its documentation, only handlers that want the session ask for it.
        if (req.path !== "/untouched") {
          const found = await api.getSession({ headers: fromNodeHeaders(req.headers) });
          Object.assign(req, { session: found?.session ?? {} });
        }
        next();
      });
      return () => pool.end();
    },
  };
}
