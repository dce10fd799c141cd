/** swc transforms but does not check types: `npm run check` runs before the tests. */
module.exports = {
  testEnvironment: "node",
  roots: ["<rootDir>/test"],
  testMatch: ["**/*.test.ts"],
  transform: {
    "\\.ts$": [
      "@swc/jest",
      {
        jsc: { target: "es2022", parser: { syntax: "typescript" } },
        module: { type: "commonjs" },
        sourceMaps: "inline",
      },
    ],
  },
  moduleNameMapper: {
    "^coatcheck$": "<rootDir>/lib/index.ts",
    "^coatcheck/sqlite$": "<rootDir>/lib/stores/sqlite/sqlite-store.ts",
    "^coatcheck/datastore$": "<rootDir>/lib/stores/datastore/datastore-store.ts",
    "^coatcheck/postgres$": "<rootDir>/lib/stores/postgres/postgres-store.ts",
    "^coatcheck/redis$": "<rootDir>/lib/stores/redis/redis-store.ts",
    "^coatcheck/express-shapes$": "<rootDir>/lib/express-shapes.ts",
    "^coatcheck/testing$": "<rootDir>/lib/testing/index.ts",
  },
  globalSetup: "<rootDir>/test/support/global-setup.ts",
  globalTeardown: "<rootDir>/test/support/global-teardown.ts",
  // One more than the cores that a small machine has: many tests wait, for an emulator, a browser, or a time limit.
  maxWorkers: 3,
  // The machine that runs the tests may be busy. A test that hangs is reported soon all the same.
  testTimeout: 120_000,
};
