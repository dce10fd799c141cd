import { execFile } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { nodeDriver, PEER } from "../../lib/stores/sqlite/file/driver";
import { bundled, BUNDLERS } from "../support/bundlers";
import { describeOnEmulator, emulatorHost, freshNamespace } from "../support/datastore-emulator";
import { installedProject, linkPackage } from "../support/installed-project";
import { WHOLE_APP } from "../support/whole-app";

const run = promisify(execFile);

describe.each(BUNDLERS)("an app that is bundled with %s", (bundler) => {
  let bundle: string;
  let empty: string;

  beforeAll(async () => {
    const project = installedProject(["express"]);
    const entry = join(project, "app.js");
    writeFileSync(entry, WHOLE_APP.commonjs);
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
    expect(await told("embedded", nodeDriver() === undefined ? [PEER] : [])).toEqual(WHOLE_APP.told);
  });

  it("runs in an empty folder with MemoryStore", async () => {
    expect(await told("memory")).toEqual(WHOLE_APP.told);
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
      expect(await told("datastore", ["@google-cloud/datastore"], env)).toEqual(WHOLE_APP.told);
    });
  });
});
