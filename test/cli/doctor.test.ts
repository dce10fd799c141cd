import { execFileSync, fork } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { problemsOf } from "../../lib/cli/commands/doctor-problems";
import { CLEAR_GRACE_MS } from "../../lib/record/expiry";
import { fileReport } from "../../lib/stores/sqlite/file/file-report";
import { SqliteStore } from "../../lib/stores/sqlite/sqlite-store";
import { embeddedCommandLine } from "../support/embedded-command-line";
import { killed, sessionRecord } from "../support/session-records";
import { connectTo, inFile } from "../support/sqlite-checks";

const MINUTE = 60_000;
const cli = embeddedCommandLine();
const { doctor, file, seed, sessions } = cli;

describe("coatcheck doctor", () => {
  it("finds nothing wrong with a sound file, and leaves the folder as it was", async () => {
    seed(3);
    expect(readdirSync(sessions())).toEqual(["sessions.db"]);
    const before = readFileSync(file());
    const { code, stdout, stderr } = await cli.run(["doctor"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain(file());
    expect(stdout).toMatch(/^modes +0700 \.sessions, 0600 sessions\.db$/m);
    expect(stdout).toMatch(/^layout +1$/m);
    expect(stdout).toMatch(/^live +3$/m);
    expect(stdout).toMatch(/^check +ok$/m);
    expect(stdout).toMatch(/\n\nNothing is wrong\.\n$/);
    expect(readdirSync(sessions())).toEqual(["sessions.db"]);
    expect(readFileSync(file()).equals(before)).toBe(true);
  });

  it("prints its findings as one JSON object, while a server uses the file", async () => {
    const store = new SqliteStore({ path: sessions() });
    const records = Array.from({ length: 5 }, () => sessionRecord());
    for (const record of records) await store.create(record);
    await store.end(records[0]!.id, killed());
    await store.create(sessionRecord({ purgeAt: Date.now() - CLEAR_GRACE_MS - MINUTE }));
    await store.create(sessionRecord({ purgeAt: Date.now() - CLEAR_GRACE_MS + MINUTE }));
    expect(await doctor()).toEqual({
      ...{ code: 0, ok: true, path: file(), layout: 1, check: "ok", fileSystem: null, problems: [] },
      ...{ live: 6, ended: 1, due: 1, unreadable: 0 },
      bytes: statSync(file()).size,
      walBytes: statSync(`${file()}-wal`).size,
      modes: { [sessions()]: "0700", [file()]: "0600", [`${file()}-wal`]: "0600", [`${file()}-shm`]: "0600" },
      sqlite: {
        version: inFile(sessions(), (db) => db.prepare("SELECT sqlite_version() AS version").get()?.version),
        driver: expect.stringMatching(/^(@photostructure\/sqlite|Node [\d.]+)$/),
      },
    });
    await store.create(sessionRecord());
    await store.close();
  });

  it("waits for no writer", async () => {
    seed(3);
    const writer = connectTo(sessions());
    writer.exec("BEGIN IMMEDIATE; DELETE FROM tally; DELETE FROM session");
    expect(await doctor()).toMatchObject({ code: 0, live: 3 });
    writer.exec("COMMIT");
    writer.close();
  });

  it("reads the file of a server that was killed", async () => {
    const args = [sessions(), "1"];
    const writer = fork(cli.scripts.path("test/support/sqlite-writer.ts"), args, {
      env: cli.scripts.env,
      execArgv: [],
    });
    await once(writer, "message");
    writer.kill("SIGKILL");
    await once(writer, "exit");
    expect(statSync(`${file()}-wal`).size).toBeGreaterThan(0);
    expect(await doctor()).toMatchObject({ code: 0, live: 1, check: "ok" });
  });

  it.each([
    ["there is no folder", () => undefined],
    ["there is no file in it", () => mkdirSync(sessions())],
  ])("says so, and makes nothing, where %s", async (_, prepare) => {
    prepare();
    const before = readdirSync(cli.folder(), { recursive: true });
    const { code, stdout, stderr } = await cli.run(["doctor", "--json"]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain(`There are no sessions in ${sessions()}.`);
    expect(readdirSync(cli.folder(), { recursive: true })).toEqual(before);
  });

  it("says that it is for the embedded store where the environment says Datastore, unless it is told a folder", async () => {
    const datastore = { DATASTORE_PROJECT_ID: "demo" };
    const { code, stdout, stderr } = await cli.run(["doctor"], datastore);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^coatcheck: coatcheck doctor works on the file of an embedded store,.* --path\.\n$/);
    seed(1);
    expect(await cli.run(["doctor", "--path", sessions()], datastore)).toMatchObject({ code: 0, stderr: "" });
  });
});

describe("coatcheck doctor, around the file", () => {
  it("says that others can read the file, and how to mend that", async () => {
    seed(1);
    chmodSync(sessions(), 0o755);
    chmodSync(file(), 0o640);
    const { code, problems } = await doctor();
    expect(code).toBe(1);
    expect(problems).toEqual([
      { problem: `${sessions()} is open to other users of this machine.`, fix: `chmod 700 ${sessions()}` },
      { problem: `${file()} is open to other users of this machine.`, fix: `chmod 600 ${file()}` },
    ]);
    for (const { fix } of problems) execFileSync("sh", ["-c", fix]);
    expect(await doctor()).toMatchObject({ code: 0, problems: [] });
  });

  it("quotes paths for a shell", async () => {
    const odd = join(cli.folder(), "it's here");
    seed(1);
    execFileSync("mv", [sessions(), odd]);
    chmodSync(odd, 0o755);
    const { problems } = await doctor(odd);
    execFileSync("sh", ["-c", problems[0]!.fix]);
    expect(statSync(odd).mode & 0o777).toBe(0o700);
  });

  it("finds a WAL that grows", async () => {
    const store = new SqliteStore({ path: sessions() });
    await store.create(sessionRecord());
    truncateSync(`${file()}-wal`, 65 * 1024 * 1024);
    const { code, problems } = await doctor();
    expect(code).toBe(1);
    expect(problems).toEqual([{ problem: expect.stringContaining("65.0 MiB"), fix: expect.any(String) }]);
    await store.close();
  });

  it("finds that no job clears", async () => {
    seed(10_000, { purgeAt: Date.now() - CLEAR_GRACE_MS - MINUTE });
    const { code, problems } = await doctor();
    expect(code).toBe(1);
    expect(problems).toEqual([
      {
        problem: "10000 of 10000 records should have been deleted by now.",
        fix: expect.stringContaining("npx coatcheck clear"),
      },
    ]);
    expect(await cli.run(["clear"])).toMatchObject({ code: 0 });
    expect(await doctor()).toMatchObject({ code: 0, due: 0 });
  });

  it("accepts what is due between two clearings", () => {
    seed(1);
    const sound = fileReport(sessions(), Date.now());
    const counts = (due: number, all: number) => ({ ...sound, counts: { ...sound.counts!, due, all } });
    expect(problemsOf(counts(9_999, 10_000))).toEqual([]);
    expect(problemsOf(counts(10_000, 1_000_000))).toEqual([]);
    expect(problemsOf(counts(100_000, 1_000_000))).toHaveLength(1);
  });

  it("finds a network file system", () => {
    seed(1);
    const sound = fileReport(sessions(), Date.now());
    const on = (name: string, isNetwork: boolean) => problemsOf({ ...sound, fileSystem: { name, isNetwork } });
    expect(on("NFS", true)).toEqual([expect.objectContaining({ problem: expect.stringContaining("is on NFS") })]);
    expect(on("FUSE", false)).toEqual([]);
  });
});
