const config = require("./jest.config.cjs");

/** What is long by nature, in its long form, one after the other: `npm run test:long`. */
process.env.COATCHECK_LONG = "1";

module.exports = {
  ...config,
  testMatch: [
    "<rootDir>/test/torture/*.test.ts",
    "<rootDir>/test/promises/p1-killed-server.test.ts",
    "<rootDir>/test/stores/datastore-clear.test.ts",
    "<rootDir>/test/stores/sqlite/kill.test.ts",
    "<rootDir>/test/stores/sqlite/power-cut.test.ts",
  ],
  maxWorkers: 1,
};
