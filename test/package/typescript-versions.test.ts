import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describeInstalled, outcomeOf } from "../support/user-project";

/** An app that imports each subpath, and uses the types of `req.session`. */
const APP = `
  import express from "express";
  import { GUEST_USER, killSessionByUser, SessionError, sessionConsole, sessionMiddleware, Sessions } from "coatcheck";
  import type { SessionInfo, SessionOptions } from "coatcheck";
  import { DatastoreStore } from "coatcheck/datastore";
  import { expressShapes } from "coatcheck/express-shapes";
  import { PostgresStore } from "coatcheck/postgres";
  import { RedisStore } from "coatcheck/redis";
  import { SqliteStore } from "coatcheck/sqlite";
  import { MemoryStore, signIn } from "coatcheck/testing";
  import request from "supertest";

  declare module "coatcheck" { interface SessionData { views: number } }

  const options: SessionOptions = { store: new SqliteStore({ path: ".sessions" }), idleTimeout: "1h" };
  export const stores = [MemoryStore, DatastoreStore, PostgresStore, RedisStore];
  export const app = express();
  app.use(expressShapes());
  app.use(sessionMiddleware(options));
  app.use("/console", sessionConsole());
  app.get("/", async (req, res) => {
    await req.session.login("alice", { remember: true });
    req.session.views = (req.session.views ?? 0) + 1;
    const views: number = req.session.get("views", 0);
    // @ts-expect-error -- nobody declared it
    req.session.undeclared = 1;
    // @ts-expect-error -- a value of another type
    req.session.views = "1";
    res.json([req.sessionID, views, req.session.owner === GUEST_USER]);
  });
  export async function signedOut(): Promise<number> {
    const alice = await signIn(request.agent(app), "alice", { data: { views: 2 } });
    await alice.get("/").expect(200);
    const found: SessionInfo[] = await new Sessions(options).getSessionInfo({ username: "alice" });
    if (found.length === 0) throw new SessionError("SESSION_NOT_FOUND", "alice has no session");
    return killSessionByUser("alice");
  }
`;
const VERSIONS = ["5.5", "5.9", "6", "7"];
const COMPILERS = VERSIONS.map((version) => `typescript${version}@npm:typescript@${version}`);
const TYPES = ["@types/express@5", "@types/supertest@7", "@types/node@24"];

/** The oldest target that the types of Node itself allow. Those of all packages are checked, too. */
const STRICT = ["--strict", "--exactOptionalPropertyTypes", "--skipLibCheck", "false", "--target", "es2020"];

describeInstalled("TypeScript", ["express@5", ...TYPES, ...COMPILERS], ({ folder }) => {
  const files = ["app.mts", "app.cts"];
  beforeAll(() => {
    for (const name of files) writeFileSync(join(folder, name), APP);
  });

  describe.each(VERSIONS)("%s", (version) => {
    const tsc = join(folder, `node_modules/typescript${version}/bin/tsc`);

    it.each([
      ["node16", "node16"],
      ["nodenext", "nodenext"],
      ["bundler", "esnext"],
    ])("compiles an app with the resolution %s", async (resolution, module) => {
      const modules = ["--module", module, "--moduleResolution", resolution, "--esModuleInterop", "--types", "node"];
      const args = [tsc, "--noEmit", ...modules, ...STRICT, ...files];
      expect(await outcomeOf(process.execPath, args, folder)).toEqual({ code: 0, stdout: "", stderr: "" });
    });
  });
});
