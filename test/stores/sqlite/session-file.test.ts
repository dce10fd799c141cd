import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SessionError } from "../../../lib/errors";
import { SqliteStore } from "../../../lib/stores/sqlite/sqlite-store";
import { sessionRecord } from "../../support/session-records";
import { faultsOf, inFile } from "../../support/sqlite-checks";

let base: string;
let path: string;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "coatcheck-folder-"));
  path = join(base, "deep", "my.sessions");
});

afterEach(() => rmSync(base, { recursive: true }));

const file = () => join(path, "sessions.db");

function openingError(at = path): SessionError {
  try {
    new SqliteStore({ path: at });
  } catch (error) {
    if (error instanceof SessionError) return error;
    throw error;
  }
  throw new Error("it opened");
}

/** A session file that holds one session, and that no process has open. */
async function closedFile() {
  const record = sessionRecord();
  const store = new SqliteStore({ path });
  await store.create(record);
  await store.close();
  return record;
}

describe("the folder", () => {
  it("is made with all above it, whatever it is called, and it and its files are for this user only", async () => {
    const before = process.umask(0);
    const store = new SqliteStore({ path });
    process.umask(before);
    await store.create(sessionRecord());
    for (const folder of [path, join(base, "deep")]) expect(statSync(folder).mode & 0o777).toBe(0o700);
    const names = readdirSync(path);
    expect(names.sort()).toEqual(["sessions.db", "sessions.db-shm", "sessions.db-wal"]);
    for (const name of names) expect(statSync(join(path, name)).mode & 0o777).toBe(0o600);
    await store.close();
  });

  it("and its files keep the modes that they have", async () => {
    await closedFile();
    chmodSync(path, 0o750);
    chmodSync(file(), 0o640);
    const store = new SqliteStore({ path });
    expect(statSync(path).mode & 0o777).toBe(0o750);
    expect(statSync(file()).mode & 0o777).toBe(0o640);
    await store.close();
  });

  it("is ./.sessions where nothing else is said", async () => {
    const before = process.cwd();
    process.chdir(base);
    try {
      const store = new SqliteStore();
      expect(statSync(join(base, ".sessions")).isDirectory()).toBe(true);
      await store.close();
    } finally {
      process.chdir(before);
    }
  });

  it("stays the one that it was when the process changes its own", async () => {
    const before = process.cwd();
    process.chdir(base);
    const store = new SqliteStore({ path: "relative" });
    process.chdir(tmpdir());
    try {
      await store.create(sessionRecord());
      expect(readdirSync(join(base, "relative"))).toContain("sessions.db");
      await store.close();
    } finally {
      process.chdir(before);
    }
  });

  it("keeps what is in it from one store to the next", async () => {
    const record = await closedFile();
    const store = new SqliteStore({ path });
    expect(await store.load(record.id)).toEqual(record);
    await store.close();
  });
});

describe("the file", () => {
  it("says what it is to SQLite's own tools", async () => {
    await closedFile();
    const told = inFile(path, (db) =>
      ["application_id", "user_version", "wal_checkpoint(TRUNCATE)"].map((name) => db.prepare(`PRAGMA ${name}`).get()),
    );
    expect(told).toMatchObject([{ application_id: 0x436f6174 }, { user_version: 1 }, { busy: 0 }]);
    expect(readFileSync(file()).subarray(68, 72).toString()).toBe("Coat");
  });

  it("P6: holds nothing of what was deleted", async () => {
    const store = new SqliteStore({ path });
    const [secret, kept] = ["a secret of the session", "what goes on living"].map((text) =>
      sessionRecord({ data: { text: JSON.stringify(text) } }),
    );
    for (const record of [secret!, kept!]) await store.create(record);
    await store.end(secret!.id, { endedAt: 1, purgeAt: 0, reason: "killed", endedBy: null });
    await store.close();
    inFile(path, (db) => db.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get());
    const bytes = readFileSync(file());
    expect([bytes.includes("a secret of the session"), bytes.includes("what goes on living")]).toEqual([false, true]);
  });
});

describe("P7: a folder that can't be used is told when the store is made, with the path and what to do", () => {
  it("where a file is in the way", () => {
    const inTheWay = join(base, "file");
    writeFileSync(inTheWay, "something else");
    for (const at of [inTheWay, join(inTheWay, "below")]) {
      expect(openingError(at).code).toBe("SESSION_STORE");
      expect(openingError(at).message).toContain(`The session file ${at}/sessions.db can't be opened: `);
      expect(openingError(at).message).toContain("give SqliteStore another path");
    }
    expect(readFileSync(inTheWay, "utf8")).toBe("something else");
  });

  it("where the session file is a folder", () => {
    mkdirSync(file(), { recursive: true });
    expect(openingError()).toMatchObject({ code: "SESSION_STORE", message: expect.stringContaining(file()) });
  });

  it.each(["not a database ".repeat(1000), "short"])("where the session file is something else: %#", (text) => {
    mkdirSync(path, { recursive: true });
    writeFileSync(file(), text);
    const message = expect.stringMatching(
      /my\.sessions\/sessions\.db can't be opened: .*restore a backup or delete the folder/,
    );
    expect(openingError()).toMatchObject({ code: "SESSION_STORE", message });
    expect(readFileSync(file(), "utf8")).toBe(text);
  });

  it("where the session file is another app's database, which stays as it was", () => {
    mkdirSync(path, { recursive: true });
    inFile(path, (db) => db.exec("CREATE TABLE invoice (number INTEGER); INSERT INTO invoice VALUES (7)"));
    const before = readFileSync(file());
    const message = `${file()} is not a session file; give SqliteStore another folder.`;
    expect(openingError()).toMatchObject({ code: "SESSION_STORE", message });
    expect(readFileSync(file()).equals(before)).toBe(true);
    expect(readdirSync(path)).toEqual(["sessions.db"]);
  });

  it("where the session file is of a newer version, which stays as it was", async () => {
    await closedFile();
    inFile(path, (db) => db.exec("PRAGMA user_version = 2; PRAGMA wal_checkpoint(TRUNCATE)"));
    const before = readFileSync(file());
    const message = `The session file ${file()} has layout 2, and this version of coatcheck knows 1; upgrade coatcheck.`;
    expect(openingError()).toMatchObject({ code: "SESSION_STORE", message });
    expect(readFileSync(file()).equals(before)).toBe(true);
  });

  it("and another folder can be used meanwhile, and this one once it is mended", async () => {
    const record = await closedFile();
    cpSync(path, join(base, "backup"), { recursive: true });
    rmSync(path, { recursive: true });
    mkdirSync(path);
    writeFileSync(file(), "something else");
    openingError();
    const elsewhere = new SqliteStore({ path: join(base, "elsewhere") });
    await elsewhere.create(sessionRecord());
    await elsewhere.close();
    rmSync(path, { recursive: true });
    cpSync(join(base, "backup"), path, { recursive: true });
    const store = new SqliteStore({ path });
    expect(await store.load(record.id)).toEqual(record);
    await store.close();
    expect(faultsOf(path)).toEqual([]);
  });
});

describe("closing", () => {
  it("waits for the writes under way, and they are kept", async () => {
    const store = new SqliteStore({ path });
    const record = sessionRecord();
    await store.create(record);
    const writes = Array.from({ length: 50 }, (_, n) => store.update(record.id, { data: { set: { [`k${n}`]: "1" } } }));
    const others = Array.from({ length: 50 }, () => store.create(sessionRecord()));
    await store.close();
    expect(await Promise.all(writes)).toEqual(writes.map(() => true));
    await Promise.all(others);
    const again = new SqliteStore({ path });
    expect(Object.keys((await again.load(record.id))!.data)).toHaveLength(50);
    const ids: string[] = [];
    for await (const { id } of again.find({ state: "live" })) ids.push(id);
    expect(ids).toHaveLength(51);
    await again.close();
  });

  it("ends a find that is under way with SESSION_CLOSED", async () => {
    const store = new SqliteStore({ path });
    await Promise.all(Array.from({ length: 600 }, () => store.create(sessionRecord())));
    const found = store.find({ state: "live" })[Symbol.asyncIterator]();
    await found.next();
    await store.close();
    await expect(found.next()).rejects.toMatchObject({ code: "SESSION_CLOSED" });
  });
});
