import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  isBusy,
  nodeDriver,
  peerDriver,
  peerPath,
  resultCode,
  sqliteDriver,
  sqliteFailure,
} from "../../../lib/stores/sqlite/file/driver";
import type { Database, Driver, Value } from "../../../lib/stores/sqlite/file/driver";
import { compileScripts } from "../../support/compiled-scripts";

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
const hasOwn = major > 22 || (major === 22 && minor >= 13);
const scripts = compileScripts(["lib", "test/support"]);
let folder: string;

beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "coatcheck-driver-"))));
afterEach(() => rmSync(folder, { recursive: true }));
afterAll(() => scripts.dispose());

/** Runs code in a process of its own that has `SqliteStore` and `path`. */
function inProcess(code: string, args: string[] = [], env: NodeJS.ProcessEnv = scripts.env) {
  const script = `
    const { SqliteStore } = require(${JSON.stringify(scripts.path("lib/stores/sqlite/sqlite-store.ts"))});
    const { sessionRecord } = require(${JSON.stringify(scripts.path("test/support/session-records.ts"))});
    const path = ${JSON.stringify(join(folder, "sessions"))};
    (async () => { ${code} })();`;
  const { status, stdout, stderr } = spawnSync(process.execPath, [...args, "-e", script], { env, encoding: "utf8" });
  return { status, stdout, stderr };
}

it("is Node's own from 22.13 on, and otherwise the peer", () => {
  expect(nodeDriver() !== undefined).toBe(hasOwn);
  expect(sqliteDriver()).toBe(hasOwn ? nodeDriver() : peerDriver());
});

it("P7: where there is neither, a store says what to install", () => {
  const code = `try { new SqliteStore({ path }); } catch ({ code, message }) { console.log(JSON.stringify({ code, message })); }`;
  const args = hasOwn ? ["--no-experimental-sqlite"] : [];
  expect(scripts.env.NODE_PATH).toBeDefined(); // Without it, the compiled scripts find no packages.
  // Only the package that options are read with.
  symlinkSync(dirname(require.resolve("ms/package.json")), join(folder, "ms"));
  const { stdout, stderr } = inProcess(code, args, { ...scripts.env, NODE_PATH: folder });
  expect(stderr).toBe("");
  expect(JSON.parse(stdout)).toEqual({
    code: "SESSION_STORE",
    message:
      `Node ${process.versions.node} has no SQLite of its own: ` +
      `run "npm install @photostructure/sqlite@1", or use Node 22.13 or newer.`,
  });
});

describe("warnings", () => {
  const use = `
    const store = new SqliteStore({ path });
    const record = sessionRecord();
    await store.create(record);
    for (let n = 0; n < 2500; n += 1) await store.update(record.id, { counters: { n: 1 } });
    await store.close();`;

  it("there are none about a store that is used, nor about its checkpoints", () => {
    expect(inProcess(use)).toEqual({ status: 0, stdout: "", stderr: "" });
  });

  it("those about other things are shown, in this thread and in the app's own workers", () => {
    const { stderr } = inProcess(`
      ${use}
      new (require("node:wasi").WASI)({ version: "preview1" });
      process.emitWarning("The app's own", "ExperimentalWarning");
      const { Worker } = require("node:worker_threads");
      new Worker("process.emitWarning('A worker of the app')", { eval: true });`);
    // Node says that of WASI on all versions so far, as it says it of SQLite on 22.
    expect(stderr).toMatch(/ExperimentalWarning: WASI is an experimental feature/);
    expect(stderr).toContain("ExperimentalWarning: The app's own");
    expect(stderr).toContain("Warning: A worker of the app");
    expect(stderr).not.toContain("SQLite");
  });
});

const drivers: [string, Driver | undefined, string][] = [
  ["Node's own", nodeDriver(), "this Node has none"],
  ["the peer", peerPath() === undefined ? undefined : peerDriver(), "it is not installed"],
];
for (const [name, driver, why] of drivers) {
  if (driver === undefined) it.skip(`on ${name}: ${why}`, () => undefined);
  else describe(`on ${name}`, () => onDriver(driver));
}

function onDriver({ DatabaseSync }: Driver): void {
  let db: Database;
  beforeEach(() => (db = new DatabaseSync(join(folder, "a.db"))));
  afterEach(() => db.close());

  it("gives back what was bound, of the type that it had", () => {
    db.exec("CREATE TABLE t (number INTEGER PRIMARY KEY, real REAL, any ANY) STRICT");
    const insert = db.prepare("INSERT INTO t (real, any) VALUES (?, ?)");
    const select = db.prepare("SELECT real, any FROM t WHERE number = ?");
    const values: [number, Value][] = [
      [0, null],
      [1.5, "a text"],
      [Infinity, "🍵 é"],
      [-1, ""],
      [Number.MAX_SAFE_INTEGER, 7],
      [1700000000000, 1.5],
      [1, Uint8Array.of(1, 0, 255)],
    ];
    for (const [real, any] of values) {
      const { changes, lastInsertRowid } = insert.run(real, any);
      expect(Number(changes)).toBe(1);
      const row = select.get(lastInsertRowid as number)!;
      expect([row.real, row.any]).toEqual([real, any]);
      expect(typeof row.any).toBe(typeof any);
    }
    expect(select.get(99)).toBeUndefined();
    expect(db.prepare("SELECT number FROM t WHERE number < 3 ORDER BY number").all()).toEqual([
      { number: 1 },
      { number: 2 },
    ]);
    expect(db.prepare("DELETE FROM t WHERE number < 3 RETURNING number").all()).toHaveLength(2);
  });

  it("has the functions and features that the store uses", () => {
    db.exec("CREATE TABLE t (a ANY PRIMARY KEY, n INTEGER) STRICT, WITHOUT ROWID");
    const add = db.prepare("INSERT INTO t VALUES (?, 1) ON CONFLICT DO UPDATE SET n = n + excluded.n");
    for (const a of ["x", "x", "y"]) add.run(a);
    expect(db.prepare("SELECT a, n FROM t ORDER BY a").all()).toEqual([{ a: "x", n: 2 }, { a: "y", n: 1 }]); // prettier-ignore
    expect(db.prepare(`SELECT '{"a":[1,2]}' ->> '$.a[1]' AS found, json_valid('{') AS valid`).get()).toEqual({ found: 2, valid: 0 }); // prettier-ignore
  });

  it("tells by any method that the file is locked, and it goes on afterwards", () => {
    db.exec("CREATE TABLE t (a); INSERT INTO t VALUES (1); PRAGMA busy_timeout = 0");
    const [run, read] = [db.prepare("UPDATE t SET a = 2"), db.prepare("SELECT a FROM t")];
    const other = new DatabaseSync(join(folder, "a.db"));
    other.exec("BEGIN EXCLUSIVE");
    for (const method of [() => db.exec("DELETE FROM t"), () => run.run(), () => read.get(), () => read.all()]) {
      expect(failureOf(method)).toMatchObject({ code: 5, isBusy: true });
    }
    other.exec("COMMIT");
    other.close();
    expect(read.all()).toEqual([{ a: 1 }]);
  });

  it("tells other failures by their codes, whichever method meets them", () => {
    db.exec("CREATE TABLE t (a INTEGER UNIQUE) STRICT; INSERT INTO t VALUES (1); PRAGMA query_only = ON");
    const write = db.prepare("UPDATE t SET a = 2 RETURNING a");
    for (const method of [() => write.run(), () => write.get(), () => write.all(), () => db.exec("DELETE FROM t")]) {
      expect(failureOf(method)).toMatchObject({ code: 8, isBusy: false });
      expect(failureOf(method).told.message).toContain("attempt to write a readonly database; let this user write");
    }
    expect(failureOf(() => db.exec("SELECT nothing")).code).toBe(1);
    db.exec("PRAGMA query_only = OFF");
    expect(failureOf(() => db.prepare("INSERT INTO t VALUES (1)").run()).code).toBe(19);
  });
}

function failureOf(method: () => unknown) {
  try {
    method();
  } catch (error) {
    return { code: resultCode(error), isBusy: isBusy(error), told: sqliteFailure("/a.db", "written", error) };
  }
  throw new Error("nothing failed");
}
