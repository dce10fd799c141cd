import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as coatcheck from "../lib";
import type { SessionMiddleware } from "../lib";
import { MemoryStore } from "../lib/stores/memory-store";
import { compileScripts } from "./support/compiled-scripts";
import { sessionRecord } from "./support/session-records";

const { sessionMiddleware } = coatcheck;
const open: SessionMiddleware[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map(({ sessions }) => sessions.close()));
});

function middleware(store = new MemoryStore()): SessionMiddleware {
  const made = sessionMiddleware({ store, clearSchedule: false });
  open.push(made);
  return made;
}

/** Every plain function, with arguments that it takes. */
const CALLS: [keyof typeof coatcheck, unknown[]][] = [
  ["killSessionByUser", ["alice"]],
  ["killSessionByUser", []],
  ["killAllSessions", []],
  ["clearSessions", []],
  ["getSession", ["x".repeat(43)]],
  ["getSessionUser", ["x".repeat(43)]],
  ["getSessionInfo", []],
  ["startClearSessions", []],
  ["openClientlessSession", ["alice"]],
  ["closeClientlessSession", ["x".repeat(43)]],
  ["withClientlessSession", ["alice", () => undefined]],
  ["defineTask", ["a", () => undefined]],
];

async function call(name: keyof typeof coatcheck, args: unknown[]): Promise<unknown> {
  return (coatcheck[name] as (...args: unknown[]) => unknown)(...args);
}

describe("the plain functions", () => {
  it("act on the Sessions that sessionMiddleware made, and that it carries", async () => {
    const store = new MemoryStore();
    const { sessions } = middleware(store);
    const records = [sessionRecord({ owner: "alice" }), sessionRecord({ owner: "bob" }), sessionRecord()];
    for (const record of records) await store.create(record);
    const [alice, bob] = records;
    expect((await coatcheck.getSessionInfo()).map(({ id }) => id).sort()).toEqual(records.map(({ id }) => id).sort());
    expect(await coatcheck.getSessionInfo({ username: "bob" })).toMatchObject([{ id: bob!.id }]);
    expect(await coatcheck.getSession(alice!.id)).toMatchObject({ id: alice!.id, username: "alice" });
    expect(await coatcheck.getSessionUser(alice!.id)).toBe("alice");
    expect(await coatcheck.killSessionByUser("alice")).toBe(1);
    expect(await sessions.getSessionInfo({ username: "alice" })).toEqual([]);
    expect(await coatcheck.killAllSessions()).toBe(2);
    expect(await coatcheck.clearSessions()).toBe(0);
  });

  it.each(CALLS)("refuse to choose while two are open: %s(%j)", async (name, args) => {
    middleware();
    middleware();
    await expect(call(name, args)).rejects.toMatchObject({
      code: "SESSION_DEFAULT_AMBIGUOUS",
      message: expect.stringContaining(".sessions"),
    });
  });

  it("P2: refuse to choose, and end nothing", async () => {
    const [first, second] = [new MemoryStore(), new MemoryStore()];
    for (const store of [first, second]) {
      middleware(store);
      await store.create(sessionRecord({ owner: "alice" }));
    }
    await expect(coatcheck.killSessionByUser("alice")).rejects.toThrow();
    for (const { sessions } of open) expect(await sessions.getSessionInfo()).toHaveLength(1);
  });

  it("act again on the one that is left when the other is closed", async () => {
    const store = new MemoryStore();
    middleware(store);
    await middleware().sessions.close();
    await store.create(sessionRecord({ owner: "alice" }));
    expect(await coatcheck.killSessionByUser("alice")).toBe(1);
  });

  it("don't count Sessions that the app made by itself", async () => {
    middleware();
    const own = new coatcheck.Sessions({ store: new MemoryStore() });
    own.middleware();
    await expect(coatcheck.getSessionInfo()).resolves.toEqual([]);
    await own.close();
  });

  it.each(CALLS.filter(([name]) => name !== "startClearSessions"))(
    "reject with SESSION_CLOSED once theirs is closed, and open no other store: %s(%j)",
    async (name, args) => {
      await middleware().sessions.close();
      await expect(call(name, args)).rejects.toMatchObject({ code: "SESSION_CLOSED" });
      expect(readdirSync(".")).not.toContain(".sessions");
    },
  );

  it("are not made ambiguous by options that were refused", async () => {
    middleware();
    expect(() => sessionMiddleware({ idleTimeout: 0 })).toThrow("idleTimeout");
    await expect(coatcheck.getSessionInfo()).resolves.toEqual([]);
  });
});

describe("in a process of its own", () => {
  let compiled: ReturnType<typeof compileScripts>;
  let folder: string;
  beforeAll(() => (compiled = compileScripts(["lib"])));
  afterAll(() => compiled.dispose());
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "coatcheck-cwd-"))));
  afterEach(() => rmSync(folder, { recursive: true }));

  /** Runs a script in an empty folder, with these variables and no others of ours; answers what it prints as JSON. */
  function run(script: string, variables: Record<string, string> = {}): unknown {
    const prelude = `
      const lib = (path) => require(${JSON.stringify(compiled.path("lib"))} + "/" + path);
      const coatcheck = lib("index");
      const print = (value) => console.log(JSON.stringify(value));`;
    const env = { PATH: process.env.PATH, NODE_PATH: compiled.env.NODE_PATH, ...variables };
    const options = { cwd: folder, env, encoding: "utf8", timeout: 20_000 } as const;
    const body = `${prelude}\n(async () => { ${script} })();`;
    return JSON.parse(execFileSync(process.execPath, ["-e", body], options));
  }

  it("without sessionMiddleware they act on the store of the environment, and keep no process alive", () => {
    expect(
      run(
        "print([await coatcheck.killAllSessions(), await coatcheck.clearSessions(), await coatcheck.getSessionInfo()])",
      ),
    ).toEqual([0, 0, []]);
    expect(readdirSync(folder)).toEqual([".sessions"]);
  });

  it("sessionMiddleware's own take the place of the environment's", () => {
    const script = `
      await coatcheck.killAllSessions();
      const { MemoryStore } = lib("testing");
      const made = coatcheck.sessionMiddleware({ store: new MemoryStore(), clearSchedule: false });
      await made.sessions.close();
      print(await coatcheck.killAllSessions().catch(({ code }) => code));`;
    expect(run(script)).toBe("SESSION_CLOSED");
  });

  it("the clearing job keeps no process alive either", () => {
    expect(run(`coatcheck.startClearSessions("* * * * *"); print("started");`)).toBe("started");
  });

  it("requiring the package makes no folder, and loads no store, no store's package, and no room that few processes use", () => {
    const script = `
      const parts = ["/sqlite/", "datastore", "/redis/", "/postgres/", "/pg/", "node-cron", "clear-schedule", "clientless-sessions"];
      print(Object.keys(require.cache).filter((path) => parts.some((part) => path.includes(part))));`;
    expect(run(script)).toEqual([]);
    expect(readdirSync(folder)).toEqual([]);
  });

  const environments: [Record<string, string>, string][] = [
    [{}, "SqliteStore"],
    [{ GOOGLE_CLOUD_PROJECT: "my-project" }, "SqliteStore"],
    [{ GCLOUD_PROJECT: "my-project", NODE_ENV: "production" }, "SqliteStore"],
    [{ DATASTORE_EMULATOR_HOST: "" }, "SqliteStore"],
    [{ DATASTORE_EMULATOR_HOST: "127.0.0.1:1" }, "DatastoreStore"],
    [{ DATASTORE_PROJECT_ID: "my-project" }, "DatastoreStore"],
    [{ K_SERVICE: "shop" }, "DatastoreStore"],
    [{ CLOUD_RUN_JOB: "clear" }, "DatastoreStore"],
    [{ GAE_SERVICE: "default" }, "DatastoreStore"],
    [{ GAE_ENV: "standard" }, "DatastoreStore"],
    [{ COATCHECK_STORE: "", K_SERVICE: "shop" }, "DatastoreStore"],
    [{ COATCHECK_STORE: "datastore:", DATASTORE_PROJECT_ID: "my-project" }, "DatastoreStore"],
    [{ COATCHECK_STORE: "sqlite:./.sessions", K_SERVICE: "shop" }, "SqliteStore"],
    [{ COATCHECK_STORE: "redis://127.0.0.1:1", K_SERVICE: "shop" }, "RedisStore"],
    [{ COATCHECK_STORE: "rediss://127.0.0.1:1/2" }, "RedisStore"],
    [{ COATCHECK_STORE: "postgres://alice@127.0.0.1:1/shop", DATASTORE_PROJECT_ID: "my-project" }, "PostgresStore"],
    [{ COATCHECK_STORE: "postgresql:///shop?host=/tmp&schema=sessions" }, "PostgresStore"],
  ];

  it("P7: gives the store of the environment the time limit that the sessions have", () => {
    const script = `
      const lines = [];
      const silent = require("node:net").createServer((line) => lines.push(line));
      await new Promise((listening) => silent.listen(0, "127.0.0.1", listening));
      process.env.DATASTORE_EMULATOR_HOST = "127.0.0.1:" + silent.address().port;
      const sessions = new coatcheck.Sessions({ storeTimeout: "300ms", clearSchedule: false });
      const answer = await sessions.killSessionByUser("alice").catch(({ code }) => code);
      await sessions.close();
      for (const line of lines) line.destroy();
      silent.close();
      print(answer);`;
    expect(run(script, { METADATA_SERVER_DETECTION: "none" })).toBe("SESSION_STORE_TIMEOUT");
  });

  it.each(environments)("with %j sessions are kept in a %s", (variables, name) => {
    const script = `
      const store = lib("options/store-by-environment").storeByEnvironment({});
      print(store.constructor.name);
      await store.close();`;
    expect(run(script, { ...variables, METADATA_SERVER_DETECTION: "none" })).toBe(name);
    expect(readdirSync(folder)).toEqual(name === "SqliteStore" ? [".sessions"] : []);
  });
});
