import { fork } from "node:child_process";
import { once } from "node:events";
import {
  copyFileSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { SqliteStore } from "../../lib/stores/sqlite/sqlite-store";
import { embeddedCommandLine } from "../support/embedded-command-line";
import { connectTo, faultsOf, inFile } from "../support/sqlite-checks";

const cli = embeddedCommandLine();
const { doctor, file, seed, sessions } = cli;

const copy = () => join(cli.folder(), "copy.db");
const restored = () => join(cli.folder(), "restored");

function restore(): void {
  mkdirSync(restored(), { mode: 0o700 });
  copyFileSync(copy(), join(restored(), "sessions.db"));
}

/** The messages of `test/support/sqlite-writer.ts`. */
interface Written {
  readonly step: "created" | "updated" | "replaced" | "ended";
  readonly id: string;
  readonly n?: number;
  readonly by?: string;
}

describe("coatcheck backup", () => {
  it("copies a file while servers write to it, with everything that was acknowledged before", async () => {
    const acknowledged: Written[] = [];
    const writer = fork(cli.scripts.path("test/support/sqlite-writer.ts"), [sessions(), "8"], {
      ...{ env: cli.scripts.env, execArgv: [] },
    });
    writer.on("message", (written: Written) => acknowledged.push(written));
    while (acknowledged.length < 500) await once(writer, "message");
    const before = [...acknowledged];
    expect(await cli.run(["backup", "copy.db"])).toMatchObject({ code: 0, stderr: "" });
    const after = acknowledged.length;
    await once(writer, "message");
    expect(acknowledged.length).toBeGreaterThan(after);
    writer.kill("SIGKILL");
    await once(writer, "exit");

    restore();
    expect(inFile(restored(), (db) => Object.values(db.prepare("PRAGMA application_id").get()!))).toEqual([0x436f6174]);
    expect(inFile(restored(), (db) => Object.values(db.prepare("PRAGMA user_version").get()!))).toEqual([1]);
    expect(await doctor(restored())).toMatchObject({ code: 0 });
    const store = new SqliteStore({ path: restored() });
    const live = new Set<string>();
    for await (const { id } of store.find({ state: "live" })) live.add(id);
    const ended = new Set<string>();
    for await (const { id } of store.find({ state: "ended" })) ended.add(id);
    const isKnown = (id: string) => live.has(id) || ended.has(id);
    expect(before.filter(({ id, by = id }) => !isKnown(id) || !isKnown(by))).toEqual([]);
    expect(before.filter(({ step, id }) => (step === "replaced" || step === "ended") && live.has(id))).toEqual([]);
    for (const { step, id, n = 0 } of before) {
      if (step === "updated") expect(Number((await store.load(id))?.data.n)).toBeGreaterThanOrEqual(n);
    }
    await store.close();
    expect(faultsOf(restored())).toEqual([]);
  });

  it("does not wait for writers, and leaves out what is not committed", async () => {
    seed(3);
    const writer = connectTo(sessions());
    writer.exec("BEGIN IMMEDIATE; DELETE FROM tally; DELETE FROM session");
    expect(await cli.run(["backup", "copy.db"])).toMatchObject({ code: 0 });
    writer.exec("COMMIT");
    writer.close();
    restore();
    expect(inFile(restored(), (db) => db.prepare("SELECT count(*) AS count FROM session").get()?.count)).toBe(3);
  });

  it("says where the copy is and how large, makes it readable for this user only, and leaves nothing else behind", async () => {
    seed(3);
    const { code, stdout, stderr } = await cli.run(["backup", "copy.db"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(new RegExp(`^Backed up to ${copy()}, [\\d.]+ KiB\\.\n$`));
    expect(statSync(copy()).mode & 0o777).toBe(0o600);
    expect(readdirSync(cli.folder()).sort()).toEqual([".sessions", "copy.db"]);
    expect(readdirSync(sessions())).toEqual(["sessions.db"]);
    const json = await cli.run(["backup", "another.db", "--json"]);
    expect(JSON.parse(json.stdout)).toEqual({ file: join(cli.folder(), "another.db"), bytes: statSync(copy()).size });
  });

  it("copies nothing of sessions that were deleted", async () => {
    seed(20, { userAgent: "long gone" });
    inFile(sessions(), (db) => db.exec("PRAGMA secure_delete = OFF; DELETE FROM session; DELETE FROM tally"));
    expect(readFileSync(file()).includes("long gone")).toBe(true);
    expect(await cli.run(["backup", "copy.db"])).toMatchObject({ code: 0 });
    expect(readFileSync(copy()).includes("long gone")).toBe(false);
  });

  it.each([
    ["a file", () => writeFileSync(copy(), "precious")],
    ["a folder", () => mkdirSync(copy())],
    ["a link to nowhere", () => symlinkSync("nowhere", copy())],
  ])("overwrites nothing where there is %s of that name", async (_, prepare) => {
    seed(1);
    prepare();
    const { code, stdout, stderr } = await cli.run(["backup", "copy.db"]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(`${copy()} exists already`);
    if (statSync(copy(), { throwIfNoEntry: false })?.isFile() === true) {
      expect(readFileSync(copy(), "utf8")).toBe("precious");
    }
    expect(readdirSync(cli.folder()).sort()).toEqual([".sessions", "copy.db"]);
  });

  it.each([
    ["there is no session file", [], "There are no sessions in", () => rmSync(sessions(), { recursive: true })],
    ["there is no folder for the copy", ["there/copy.db"], "ENOENT", () => undefined],
    [
      "the file is not a session file",
      [],
      "is not a session file",
      () => inFile(sessions(), (db) => db.exec("PRAGMA application_id = 7")),
    ],
    ["the file is something else", [], "not a database", () => writeFileSync(file(), "not a database ".repeat(1_000))],
  ])("fails, and leaves nothing behind, where %s", async (_, args, said, prepare) => {
    seed(1);
    prepare();
    const { code, stdout, stderr } = await cli.run(["backup", ...(args.length > 0 ? args : ["copy.db"])]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^coatcheck: .+ \(SESSION_STORE\)\n$/);
    expect(stderr).toContain(said);
    expect(readdirSync(cli.folder()).filter((name) => name !== ".sessions")).toEqual([]);
  });

  it.each(["session", "session_owner"])("keeps no copy of a file whose %s is damaged", async (name) => {
    seed(200, { userAgent: "x".repeat(500) });
    changePage(name, (page) => page.fill(0xff));
    await expectDamage();
  });

  it("keeps no damaged copy, even if SQLite made it without an error", async () => {
    seed(3);
    const empty = pageOf("ended_owner");
    changePage("session_owner", (page) => page.set(empty));
    await expectDamage();
  });

  it.each([
    ["no file", ["backup"], {}, "one file"],
    ["two files", ["backup", "a", "b"], {}, "one file"],
    ["an empty name", ["backup", ""], {}, "one file"],
    ["Datastore by its environment", ["backup", "a"], { DATASTORE_PROJECT_ID: "demo" }, "embedded store"],
  ])("takes one file, and not %s", async (_, args, variables, said) => {
    seed(1);
    const { code, stdout, stderr } = await cli.run(args, variables);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(said);
    expect(readdirSync(cli.folder())).toEqual([".sessions"]);
  });

  it("tells in its help how a copy is restored", async () => {
    const { stdout } = await cli.run(["backup", "--help"]);
    const steps = [
      /1. Stop the app/,
      /2. Delete sessions.db,/,
      /3. Copy FILE/,
      /4. Run coatcheck kill --all --yes/,
      /5. Start/,
    ];
    for (const step of steps) expect(stdout).toMatch(step);
  });

  it("restored as the help says, brings no session back, though no app runs", async () => {
    seed(3);
    expect(await cli.run(["backup", "copy.db"])).toMatchObject({ code: 0 });
    restore();
    const kill = await cli.run(["kill", "--all", "--yes", "--path", "restored"]);
    expect(kill).toMatchObject({ code: 0, stdout: "3 sessions ended.\n" });
    expect(await cli.run(["list", "--json", "--path", "restored"])).toMatchObject({ stdout: "" });
  });
});

async function expectDamage(): Promise<void> {
  const { code, stdout, stderr } = await cli.run(["backup", "copy.db"]);
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toMatch(/ damaged\b.*npx coatcheck doctor/);
  expect(readdirSync(cli.folder())).toEqual([".sessions"]);
  expect(await doctor()).toMatchObject({ code: 1, check: "damaged" });
}

/** Changes the first page of a table or an index, past SQLite. */
function changePage(name: string, change: (page: Uint8Array) => void): void {
  const bytes = readFileSync(file());
  change(bytes.subarray(...placeOf(name)));
  writeFileSync(file(), bytes);
}

function pageOf(name: string): Uint8Array {
  return readFileSync(file()).subarray(...placeOf(name));
}

/** Where the first page of a table or an index begins and ends. */
function placeOf(name: string): [number, number] {
  return inFile(sessions(), (db) => {
    const root = Number(db.prepare("SELECT rootpage FROM sqlite_schema WHERE name = ?").get(name)?.rootpage);
    const size = Number(db.prepare("PRAGMA page_size").get()?.page_size);
    return [(root - 1) * size, root * size];
  });
}
