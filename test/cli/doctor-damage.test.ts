import { chmodSync, mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { SqliteStore } from "../../lib/stores/sqlite/sqlite-store";
import { embeddedCommandLine } from "../support/embedded-command-line";
import { inFile } from "../support/sqlite-checks";

const cli = embeddedCommandLine();
const { doctor, file, seed, sessions } = cli;

describe("coatcheck doctor, on a damaged file", () => {
  const overwrite = (start: number, length: number) => {
    const bytes = readFileSync(file());
    writeFileSync(file(), bytes.fill(0xff, start, start + length));
  };

  it.each([
    ["is something else", () => writeFileSync(file(), "not a database ".repeat(1_000)), "file is not a database"],
    ["was cut off", () => truncateSync(file(), statSync(file()).size / 2), "malformed"],
    ["has pages that were overwritten", () => overwrite(10 * 4096, 5 * 4096), "page"],
    ["has a schema that was overwritten", () => overwrite(100, 1_000), "malformed"],
    ["lacks a table", () => inFile(sessions(), (db) => db.exec("DROP TABLE tally")), "no such table: tally"],
  ])("that %s, says what is wrong and what can be done, and changes nothing", async (_, damage, said) => {
    seed(200, { userAgent: "x".repeat(500) });
    damage();
    const before = readFileSync(file());
    const { code, stdout, stderr } = await cli.run(["doctor"]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: "" });
    expect(stdout).toMatch(/^check +damaged$/m);
    expect(stdout).toMatch(/^wrong: The file is damaged\. SQLite says:$/m);
    expect(stdout).toContain(said);
    expect(stdout).toMatch(/^ +1\. Restore the newest backup; coatcheck backup --help says how\.$/m);
    expect(stdout).toContain(`sqlite3 ${file()} ".recover --ignore-freelist" | sqlite3 rescued.db`);
    expect(stdout).toMatch(/^ +3\. Delete .*\.sessions\. Everyone is signed out\.$/m);
    expect(readFileSync(file()).equals(before)).toBe(true);
    expect(await doctor()).toMatchObject({ code: 1, ok: false, check: "damaged", problems: [{}] });
  });

  it("says how many sessions can't be read, and which", async () => {
    const [id] = seed(3);
    inFile(sessions(), (db) => db.prepare("UPDATE session SET last_seen_at = last_seen_at + 1 WHERE id = ?").run(id!));
    const { code, stdout } = await cli.run(["doctor"]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^unreadable +1$/m);
    expect(stdout).toMatch(
      new RegExp(`^wrong: 1 session can't be read:\n +What is stored of the session ${id} is damaged`, "m"),
    );
  });

  it("finds a wrong count of live sessions, and says how to mend it", async () => {
    seed(3, { owner: "alice" });
    seed(2);
    inFile(sessions(), (db) => db.exec("DELETE FROM session WHERE owner = 'alice'"));
    const { code, problems } = await doctor();
    expect(code).toBe(1);
    expect(problems).toEqual([
      {
        problem: expect.stringContaining("is 5, but there are 2"),
        fix: expect.stringContaining(`sqlite3 ${file()} "BEGIN`),
      },
    ]);
    inFile(sessions(), (db) => db.exec(/"(.*)"$/.exec(problems[0]!.fix)![1]!));
    expect(await doctor()).toMatchObject({ code: 0, live: 2 });
    const store = new SqliteStore({ path: sessions() });
    expect(await store.tally(Date.now())).toEqual([{ project: "", scope: "browser", isGuest: true, live: 2 }]);
    await store.close();
  });
});

describe("coatcheck doctor, on a file that is not this version's", () => {
  it.each([
    [
      "another application's",
      "application_id = 7",
      "The file is an SQLite database, but not a session file.",
      "a folder other than",
    ],
    ["of a newer version", "user_version = 2", "The file has layout 2; this version of coatcheck knows 1.", "Upgrade"],
  ])("says that it is %s, and what to do", async (_, pragma, problem, fix) => {
    seed(1);
    inFile(sessions(), (db) => db.exec(`PRAGMA ${pragma}`));
    expect(await doctor()).toMatchObject({
      ...{ code: 1, check: "ok", live: null },
      problems: [{ problem, fix: expect.stringContaining(fix) }],
    });
  });

  it("says that there is nothing in it", async () => {
    mkdirSync(sessions(), { mode: 0o700 });
    writeFileSync(file(), "", { mode: 0o600 });
    const { code, problems } = await doctor();
    expect(code).toBe(1);
    expect(problems).toEqual([expect.objectContaining({ problem: expect.stringContaining("nothing in the file") })]);
    expect(statSync(file()).size).toBe(0);
  });

  it("says where it can't be opened", async () => {
    mkdirSync(file(), { recursive: true, mode: 0o700 });
    chmodSync(sessions(), 0o700);
    const { code, problems } = await doctor();
    expect(code).toBe(1);
    expect(problems[0]?.problem).toContain("unable to open database file");
  });
});
