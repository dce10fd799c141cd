import { execFile } from "node:child_process";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { howMany } from "../support/how-many";
import { otherServers } from "../support/other-servers";
import type { OtherServer } from "../support/other-servers";

const ROOT = join(__dirname, "../..");
const JEST = join(dirname(require.resolve("jest/package.json")), "bin/jest.js");
/** The tests of both stores, and those of the promises. */
const TESTS = ["test/stores/redis", "test/stores/postgres", "test/promises"];

const isLong = howMany(0, 1) === 1;
const servers = otherServers(process.env.COATCHECK_TEST_SERVERS ?? "");
const name = "Other versions of PostgreSQL, Redis and Valkey";

if (isLong && servers.length === 0) {
  process.stderr.write(`\nSKIPPED: ${name}: COATCHECK_TEST_SERVERS names no folders of their programs.\n`);
}

if (!isLong || servers.length === 0) {
  it.skip(`${name} (for the long form, with COATCHECK_TEST_SERVERS)`, () => undefined);
} else {
  describe(name, () => {
    it.each(servers)("pass the tests of the store and of the promises: $name", async (server) => {
      const running = await server.start();
      try {
        expect(await failuresOn(server, running.env)).toBe("");
      } finally {
        await running.stop();
      }
    });
  });
}

/** What the tests, in their short form, print where they fail. */
async function failuresOn({ store }: OtherServer, env: NodeJS.ProcessEnv): Promise<string> {
  const args = [JEST, "--forceExit", "--testTimeout", "120000", "-t", store, ...TESTS];
  try {
    // Where a server can't be reached the tests must fail, and not be skipped.
    const options = {
      cwd: ROOT,
      env: { ...process.env, COATCHECK_LONG: undefined, ...env, CI: "true" },
      maxBuffer: Infinity,
    };
    const { stderr } = await promisify(execFile)(process.execPath, args, options);
    return /^Tests: .*\b\d+ passed/m.test(stderr) ? "" : stderr;
  } catch (error) {
    return (error as { stderr?: string }).stderr ?? String(error);
  }
}
