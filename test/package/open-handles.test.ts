import { execFile } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { PEER } from "../../lib/stores/sqlite/file/driver";
import { describeOnEmulator, emulatorHost } from "../support/datastore-emulator";
import { installedProject } from "../support/installed-project";

const run = promisify(execFile);
const JEST = join(__dirname, "../../node_modules/jest/bin/jest.js");

/** A user's test file. It leaves something open that is not ours, so that a run that looked for nothing is noticed. */
const testFile = (imports: string, store: string, closing: string) => `
  const { AsyncResource } = require("node:async_hooks");
  const { randomBytes } = require("node:crypto");
  const { get } = require("node:http");
  const express = require("express");
  const { Sessions } = require("coatcheck");
  ${imports}

  globalThis.control = new AsyncResource("control");
  const store = ${store};
  const sessions = new Sessions({ store, secrets: [randomBytes(32).toString("base64url")] });
  const app = express().use(sessions.middleware());
  app.get("/", async (req, res) => {
    req.session.n = (req.session.n ?? 0) + 1;
    await req.session.update("m", (m) => (m ?? 0) + 1);
    await req.session.attributes.set("card", "4111", { encrypt: true });
    res.end();
  });
  app.get("/login", async (req, res) => {
    await req.session.login("alice");
    res.end();
  });

  let server;
  const visit = (path, cookie = "") =>
    new Promise((resolve, reject) => {
      const options = { port: server.address().port, path, agent: false, headers: { cookie } };
      get(options, (res) => {
        res.resume().on("end", () => resolve(res.headers["set-cookie"]?.[0].split(";")[0] ?? cookie));
      }).on("error", reject);
    });

  beforeAll((done) => {
    server = app.listen(0, done);
  });
  afterAll(async () => {
    ${closing}
    await new Promise((resolve) => server.close(resolve));
  });

  test("an app", async () => {
    const cookie = await visit("/login", await visit("/", await visit("/")));
    const [{ id }] = await sessions.getSessionInfo({ username: "alice" });
    // Enough for the embedded store to begin a checkpoint.
    const writes = Array.from({ length: ${store.includes("Sqlite") ? 1_100 : 10} }, () => store.update(id, { counters: { n: 1 } }));
    await Promise.all(writes);
    sessions.defineTask("task", async () => "done");
    await sessions.withClientlessSession("bob", async (session) => session.start("task"));
    await sessions.openClientlessSession("carol");
    await sessions.clearSessions();
    await visit("/", cookie);
    await sessions.killAllSessions();
  });
`;

const CLOSINGS: readonly (readonly [string, string])[] = [
  ["that closes its Sessions", "await sessions.close();"],
  ["that doesn't", ""],
];
const EMBEDDED = 'new SqliteStore({ path: require("node:fs").mkdtempSync("sessions-") })';

describe("jest --detectOpenHandles names nothing of ours after a test", () => {
  const folder = installedProject(["express", PEER], { jest: { rootDir: ".", testTimeout: 30_000 } });
  afterAll(() => rmSync(folder, { recursive: true }));

  async function openHandles(name: string, code: string, env: NodeJS.ProcessEnv = {}): Promise<string[]> {
    writeFileSync(join(folder, `${name}.test.js`), code);
    const { stderr } = await run(process.execPath, [JEST, "--ci", "--detectOpenHandles", `/${name}.test.js`], {
      cwd: folder,
      env: { ...process.env, ...env },
    });
    return [...stderr.matchAll(/^ +● +(.*\S)$/gm)].map(([, what]) => what!);
  }

  it.each(CLOSINGS)("with the embedded store, %s", async (what, closing) => {
    const code = testFile('const { SqliteStore } = require("coatcheck/sqlite");', EMBEDDED, closing);
    expect(await openHandles(`sqlite-${what.length}`, code)).toEqual(["control"]);
  });

  it.each(CLOSINGS)("with MemoryStore, %s", async (what, closing) => {
    const code = testFile('const { MemoryStore } = require("coatcheck/testing");', "new MemoryStore()", closing);
    expect(await openHandles(`memory-${what.length}`, code)).toEqual(["control"]);
  });

  describeOnEmulator("on Datastore", () => {
    it.each(CLOSINGS)("with DatastoreStore, %s", async (what, closing) => {
      const code = testFile(
        'const { DatastoreStore } = require("coatcheck/datastore");',
        "new DatastoreStore()",
        closing,
      );
      const env = { DATASTORE_EMULATOR_HOST: emulatorHost(), DATASTORE_PROJECT_ID: "demo-open-handles" };
      expect(await openHandles(`datastore-${what.length}`, code, env)).toEqual(["control"]);
    });
  });
});
