import { execFile } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { nodeDriver, PEER } from "../../lib/stores/sqlite/file/driver";
import { bundled, BUNDLERS } from "../support/bundlers";
import { describeOnEmulator, emulatorHost, freshNamespace } from "../support/datastore-emulator";
import { installedProject, linkPackage } from "../support/installed-project";

const run = promisify(execFile);

/**
 * Also uses what is loaded on demand: the clearing job, administration, the console, clientless sessions, the embedded
 * store's worker.
 */
const APP = `
  const express = require("express");
  const { getSession, killSessionByUser, SessionError, sessionConsole, sessionMiddleware } = require("coatcheck");
  const stores = {
    embedded: () => undefined,
    memory: () => new (require("coatcheck/testing").MemoryStore)(),
    datastore: () => new (require("coatcheck/datastore").DatastoreStore)(),
  };
  const store = stores[process.argv[2]]();
  const secret = require("node:crypto").randomBytes(32).toString("base64url");
  const middleware = sessionMiddleware({
    ...(store && { store }),
    secrets: [secret],
    isSuperUser: (user) => user === "alice",
    // A bundler may set NODE_ENV to "production", and this is plain HTTP.
    cookie: { secure: false },
  });
  const { sessions } = middleware;
  const app = express().use(middleware);
  app.get("/login", async ({ session }, res) => {
    await session.login("alice");
    session.since = new Date(0);
    await session.attributes.create("card", "4111", { encrypt: true });
    res.end();
  });
  app.get("/me", async ({ session }, res) => {
    res.json([session.owner, session.since?.getTime() ?? null, (await session.attributes?.get("card")) ?? null]);
  });
  app.get("/write", async ({ session }, res) => {
    for (let n = 0; n < 1_100; n += 50) await Promise.all(Array.from({ length: 50 }, () => session.set("n", n).save()));
    res.end();
  });
  app.use("/console", sessionConsole());
  const server = app.listen(0, "127.0.0.1", async () => {
    const base = "http://127.0.0.1:" + server.address().port;
    const cookie = (await fetch(base + "/login")).headers.getSetCookie()[0].split(";")[0];
    const get = (path) => fetch(base + path, { headers: { cookie } });
    const me = async () => (await get("/me")).json();
    const told = [await me(), /<script defer src=".+"><\\/script>/.test(await (await get("/console")).text())];
    if (!store) await get("/write");
    sessions.defineTask("sum", ({ params }) => params[0] + params[1]);
    told.push(await sessions.withClientlessSession("bob", (session) => session.start("sum", [1, 2]).result()));
    told.push(await killSessionByUser("alice"), await me(), await sessions.clearSessions());
    told.push(await getSession("A".repeat(43)).catch((error) => [error instanceof SessionError, error.code]));
    server.close();
    await sessions.close();
    console.log(JSON.stringify(told));
  });
`;
const TOLD = [["alice", 0, "4111"], true, 3, 1, ["__guest__", null, null], 0, [true, "SESSION_NOT_FOUND"]];

describe.each(BUNDLERS)("an app that is bundled with %s", (bundler) => {
  let bundle: string;
  let empty: string;

  beforeAll(async () => {
    const project = installedProject(["express"]);
    const entry = join(project, "app.js");
    writeFileSync(entry, APP);
    const { out, warnings } = await bundled(bundler, entry, project);
    expect(warnings.filter((warning) => warning.includes("coatcheck"))).toEqual([]);
    bundle = join(mkdtempSync(join(tmpdir(), "coatcheck-bundle-")), basename(out));
    copyFileSync(out, bundle);
    rmSync(project, { recursive: true });
  }, 120_000);
  afterAll(() => rmSync(dirname(bundle), { recursive: true }));

  beforeEach(() => (empty = mkdtempSync(join(tmpdir(), "coatcheck-bundle-"))));
  afterEach(() => rmSync(empty, { recursive: true }));

  /** What the app reports, started from the bundle alone, in a folder that is empty except for these packages. */
  async function told(store: string, packages: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<unknown> {
    const file = join(empty, basename(bundle));
    copyFileSync(bundle, file);
    for (const name of packages) linkPackage(empty, name);
    const { PATH } = process.env;
    const { stdout, stderr } = await run(process.execPath, [file, store], { cwd: empty, env: { PATH, ...env } });
    expect(stderr).toBe("");
    return JSON.parse(stdout);
  }

  it("runs in an empty folder with the embedded store", async () => {
    // Node 20 has no SQLite, and a package with binaries can't be in a bundle.
    expect(await told("embedded", nodeDriver() === undefined ? [PEER] : [])).toEqual(TOLD);
  });

  it("runs in an empty folder with MemoryStore", async () => {
    expect(await told("memory")).toEqual(TOLD);
  });

  it("says in an empty folder what DatastoreStore needs beside it", async () => {
    const stderr = expect.stringContaining("npm install @google-cloud/datastore");
    await expect(told("datastore")).rejects.toMatchObject({ stderr });
  });

  describeOnEmulator("on Datastore", () => {
    it("runs with DatastoreStore and Google's client beside it", async () => {
      const env = {
        ...{ DATASTORE_EMULATOR_HOST: emulatorHost(), DATASTORE_PROJECT_ID: `demo-${freshNamespace()}` },
        METADATA_SERVER_DETECTION: "none",
      };
      expect(await told("datastore", ["@google-cloud/datastore"], env)).toEqual(TOLD);
    });
  });
});
