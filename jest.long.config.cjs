const { readFileSync, readdirSync } = require("node:fs");
const { join } = require("node:path");
const config = require("./jest.config.cjs");

process.env.COATCHECK_LONG = "1";
const TEST = join(__dirname, "test");

/** What is long by nature, in its long form: the files that ask `howMany`, or `describeInstalled`. */
module.exports = {
  ...config,
  testMatch: readdirSync(TEST, { recursive: true, encoding: "utf8" })
    .map((name) => join(TEST, name))
    .filter((path) => path.endsWith(".test.ts") && /\/(how-many|user-project)"/.test(readFileSync(path, "utf8"))),
  // In processes of their own: what a test that failed has left running ends with them.
  maxWorkers: 2,
  testTimeout: 900_000,
};
