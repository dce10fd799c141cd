import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describeInstalled, outcomeOf } from "../support/user-project";

/** A user's tests, on each store that a test would use. */
const SUITE = `
  import { mkdtempSync } from "node:fs";
  import express from "express";
  import request from "supertest";
  import { GUEST_USER, killSessionByUser, sessionMiddleware } from "coatcheck";
  import { SqliteStore } from "coatcheck/sqlite";
  import { MemoryStore, signIn } from "coatcheck/testing";

  const data = { map: new Map([["a", new Set([1n])]]), date: new Date(0), bytes: new Uint8Array(1), list: [NaN] };

  for (const store of [new MemoryStore(), new SqliteStore({ path: mkdtempSync("sessions-") })]) {
    test("alice has her data until she is signed out", async () => {
      const middleware = sessionMiddleware({ store, clearSchedule: false });
      const app = express().use(middleware);
      let seen = {};
      app.get("/", (req, res) => {
        seen = Object.fromEntries(req.session.items());
        res.sendStatus(req.session.owner === GUEST_USER ? 401 : 200);
      });
      const alice = await signIn(request.agent(app), "alice", { data });
      await alice.get("/").expect(200);
      expect(seen).toEqual(data);
      expect(Object.values(seen)).toEqual([Map, Date, Uint8Array, Array].map((type) => expect.any(type)));
      expect(await killSessionByUser("alice")).toBe(1);
      await alice.get("/").expect(401);
      await middleware.sessions.close();
    });
  }
`;
const FILES = ["suite.test.js", "suite.test.mjs", "suite.test.ts"];

const runJest = (config: object) => ["node_modules/jest/bin/jest.js", "--ci", "--config", JSON.stringify(config)];
const presets = [["@babel/preset-env", { targets: { node: "current" } }]];
const modules = { testRegex: "test.mjs$", moduleFileExtensions: ["mjs", "js", "json"], transform: {} };
const runVitest = ["node_modules/vitest/vitest.mjs", "run", "--globals", "suite.test.ts", "--pool"];

const RUNNERS: Record<string, readonly string[]> = {
  "jest with babel-jest": runJest({ testRegex: "test.js$", transform: { "\\.js$": ["babel-jest", { presets }] } }),
  "jest with ts-jest": runJest({ testRegex: "test.ts$", preset: "ts-jest" }),
  "jest on ES modules": ["--experimental-vm-modules", ...runJest(modules)],
  "vitest with its pool threads": [...runVitest, "threads"],
  "vitest with its pool forks": [...runVitest, "forks"],
  "vitest with its pool vmThreads": [...runVitest, "vmThreads"],
};
const PACKAGES = [
  ...["jest@30", "@babel/preset-env", "ts-jest@29", "typescript@6", "vitest@5", "express@5", "supertest@7"],
  ...["jest", "node@24", "express", "supertest"].map((name) => `@types/${name}`),
  // vitest 5 does not run on Node 20.
  `node@npm:node-${process.platform}-${process.arch}@24`,
];

describeInstalled("The runner", PACKAGES, ({ folder }) => {
  beforeAll(() => {
    for (const name of FILES) writeFileSync(join(folder, name), SUITE);
    const compilerOptions = { module: "commonjs", target: "es2022", types: ["jest", "node"], strict: true };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions }));
  });

  it.each(Object.keys(RUNNERS))("%s passes a user's tests", async (name) => {
    const node = join(folder, "node_modules/node/bin/node");
    const { code, stdout, stderr } = await outcomeOf(node, RUNNERS[name]!, folder, { NODE_ENV: "test" });
    expect([code, stdout + stderr]).toEqual([0, expect.stringMatching(/^ *Tests:? +2 passed/m)]);
  });
});
