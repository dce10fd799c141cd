import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { crc32 } from "node:zlib";
import { open } from "lmdb";
import { SessionError } from "../../lib/errors";
import { LmdbFolder } from "../../lib/stores/lmdb-folder";
import { LmdbStore } from "../../lib/stores/lmdb-store";
import { compileScripts } from "../support/compiled-scripts";
import { indexFaults } from "../support/lmdb-index-check";
import { rawDatabase } from "../support/raw-lmdb";
import { killed, sessionRecord } from "../support/session-records";

let base: string;
let path: string;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "coatcheck-folder-"));
  path = join(base, "deep", "my.sessions");
});

afterEach(() => rmSync(base, { recursive: true }));

function openingError(at: string): SessionError {
  try {
    new LmdbStore({ path: at });
  } catch (error) {
    if (error instanceof SessionError) return error;
    throw error;
  }
  throw new Error("it opened");
}

async function all<T>(found: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const each of found) list.push(each);
  return list;
}

describe("the folder", () => {
  it("is made with all above it, for this user only, whatever it is called", async () => {
    const store = new LmdbStore({ path });
    expect(statSync(path).mode & 0o777).toBe(0o700);
    expect(statSync(join(path, "data.mdb")).isFile()).toBe(true);
    await store.close();
  });

  it("is ./.sessions where nothing else is said", async () => {
    const before = process.cwd();
    process.chdir(base);
    try {
      const store = new LmdbStore();
      expect(statSync(join(base, ".sessions")).isDirectory()).toBe(true);
      await store.close();
    } finally {
      process.chdir(before);
    }
  });

  it("keeps what is in it from one store to the next", async () => {
    const record = sessionRecord();
    const first = new LmdbStore({ path });
    await first.create(record);
    await first.close();
    const second = new LmdbStore({ path });
    expect(second.load(record.id)).toEqual(record);
    await second.close();
  });
});

describe("pages", () => {
  const pageBytes = () => readFileSync(join(path, "data.mdb")).readUInt32LE(48);

  it("of a new folder have 16 KB", async () => {
    const store = new LmdbStore({ path });
    await store.create(sessionRecord());
    await store.close();
    expect(pageBytes()).toBe(16_384);
  });

  it("of an older folder keep the size that they have", async () => {
    mkdirSync(path, { recursive: true });
    await open({ path, noSubdir: false, pageSize: 4096 }).close();
    const record = sessionRecord();
    const store = new LmdbStore({ path });
    await store.create(record);
    await store.close();
    const again = new LmdbStore({ path });
    expect(again.load(record.id)).toEqual(record);
    await again.close();
    expect(pageBytes()).toBe(4096);
  });
});

describe("P7: a folder that can't be opened is told when the store is made, with its path and what to do", () => {
  it("where a file is in the way", () => {
    const file = join(base, "file");
    writeFileSync(file, "something else");
    for (const at of [file, join(file, "below")]) {
      expect(openingError(at).code).toBe("SESSION_STORE");
      expect(openingError(at).message).toContain(`The session folder ${resolve(at)} can't be opened`);
      expect(openingError(at).message).toContain("give LmdbStore another path");
    }
  });

  it("where the data file is a folder", () => {
    mkdirSync(join(path, "data.mdb"), { recursive: true });
    expect(openingError(path).code).toBe("SESSION_STORE");
  });

  it("where the data file is something else", () => {
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, "data.mdb"), "not a database ".repeat(1000));
    expect(openingError(path).message).toMatch(/data\.mdb is damaged, or not a session file; restore or delete it/);
  });

  it("where the data file was cut off", async () => {
    const store = new LmdbStore({ path });
    await Promise.all(Array.from({ length: 200 }, () => store.create(sessionRecord({ userAgent: "x".repeat(500) }))));
    await store.close();
    const file = join(path, "data.mdb");
    truncateSync(file, statSync(file).size / 2);
    expect(openingError(path).message).toMatch(/data\.mdb was cut off; restore or delete it/);
  });
});

describe("P9: what is stored but can't be read", () => {
  it("is unreadable and never absent, the rest is found around it, and it is cleared when its time is over", async () => {
    const [damaged, newer, sound] = [sessionRecord(), sessionRecord(), sessionRecord()];
    const store = new LmdbStore({ path });
    for (const record of [damaged, newer, sound]) await store.create(record);
    const raw = open({ path, noSubdir: false });
    const live = rawDatabase(raw, "live");
    await live.put(damaged.id, Buffer.from("garbage"), 1);
    const ofTomorrow = live.get(newer.id)!;
    ofTomorrow[0] = 2;
    ofTomorrow.writeUInt32LE(crc32(ofTomorrow.subarray(0, -4)), ofTomorrow.length - 4);
    await live.put(newer.id, ofTomorrow, 1);
    await raw.close();

    for (const { id } of [damaged, newer]) {
      const unreadable = { code: "SESSION_UNREADABLE", message: expect.stringContaining(id) };
      expect(() => store.load(id)).toThrow(expect.objectContaining(unreadable));
      await expect(store.update(id, { owner: "eve" })).rejects.toMatchObject(unreadable);
      await expect(store.end(id, killed())).rejects.toMatchObject(unreadable);
      await expect(store.create(sessionRecord({ id }))).rejects.toMatchObject({ code: "SESSION_EXISTS" });
    }
    expect((await all(store.find({ state: "live" }))).map(({ id }) => id)).toEqual([sound.id]);
    expect(await store.clear(Date.now())).toBe(0);
    expect(() => store.load(damaged.id)).toThrow(/is damaged/);
    expect(() => store.load(newer.id)).toThrow(/format 2, .* upgrade coatcheck/);
    expect(await store.clear(sound.purgeAt + 3_600_000)).toBe(3);
    for (const { id } of [damaged, newer, sound]) expect(store.load(id)).toBeUndefined();
    await store.close();
    expect(await indexFaults(path)).toEqual([]);
  });
});

describe("closing", () => {
  it("waits for the writes under way, and they are kept", async () => {
    const store = new LmdbStore({ path });
    const record = sessionRecord();
    await store.create(record);
    const writes = Array.from({ length: 50 }, (_, n) => store.update(record.id, { data: { set: { [`k${n}`]: "1" } } }));
    const others = Array.from({ length: 50 }, () => store.create(sessionRecord()));
    await store.close();
    expect(await Promise.all(writes)).toEqual(writes.map(() => true));
    await Promise.all(others);
    const again = new LmdbStore({ path });
    expect(Object.keys(again.load(record.id)!.data)).toHaveLength(50);
    expect(await all(again.find({ state: "live" }))).toHaveLength(51);
    await again.close();
  });

  it("ends a find and a clear that are under way with SESSION_CLOSED", async () => {
    const store = new LmdbStore({ path });
    const due = Array.from({ length: 600 }, () => sessionRecord({ purgeAt: Date.now() - 3_600_000 }));
    await Promise.all(due.map((record) => store.create(record)));
    const found = store.find({ state: "live" })[Symbol.asyncIterator]();
    await found.next();
    const clearing = store.clear(Date.now());
    const refused = expect(clearing).rejects.toMatchObject({ code: "SESSION_CLOSED" });
    await store.close();
    await expect(found.next()).rejects.toMatchObject({ code: "SESSION_CLOSED" });
    await refused;
  });
});

describe("a commit that fails", () => {
  const mixedUp = Object.assign(new Error("The list of free pages is mixed up"), { code: -30782 });
  const diskError = Object.assign(new Error("Input/output error"), { code: 5 });
  /** What lmdb rejects the writes of the transaction with. */
  const failed = (reason: Promise<never>) => Object.assign(new Error("Commit failed"), { commitError: reason });
  let folder: LmdbFolder;
  let settled: unknown[];
  beforeEach(() => {
    folder = new LmdbFolder(path);
    settled = [];
  });
  afterEach(() => folder.close());

  /** Has something written that is answered as `answers` tells, one try after the other. */
  function written(answers: (() => Promise<string>)[]) {
    return folder.committed(
      () => answers.shift()!(),
      (answer) => settled.push(answer),
    );
  }
  const fails = (reason: Error) => () => Promise.reject(failed(Promise.reject(reason)));
  const succeeds = () => Promise.resolve("written");

  it("is tried once more where lmdb gave the transaction up", async () => {
    expect(await written([fails(mixedUp), succeeds])).toBe("written");
    expect(settled).toEqual(["written"]);
  });

  it("and not a third time", async () => {
    const answers = [fails(mixedUp), fails(mixedUp), succeeds];
    const message = expect.stringMatching(/can't be written: The list of free pages is mixed up/);
    await expect(written(answers)).rejects.toMatchObject({ code: "SESSION_STORE", message });
    expect(answers).toEqual([succeeds]);
    expect(settled).toEqual([undefined]);
  });

  it("P2: is not tried again where the writes may be there, and tells who waits only after it was settled", async () => {
    const answers = [fails(diskError), succeeds];
    const outcome = written(answers).catch((error: unknown) => [error, ...settled]);
    expect(await outcome).toEqual([expect.objectContaining({ code: "SESSION_STORE" }), undefined]);
    expect(answers).toEqual([succeeds]);
  });

  it("P7: nor where lmdb never tells the reason, which is not waited for", async () => {
    const answers = [() => Promise.reject(failed(new Promise(() => undefined))), succeeds];
    const message = expect.stringMatching(/Commit failed/);
    await expect(written(answers)).rejects.toMatchObject({ code: "SESSION_STORE", message });
    expect(answers).toEqual([succeeds]);
  });

  it("nor where a write can't even be asked for", async () => {
    const refuses = () => {
      throw new Error("a key that is too long");
    };
    const answers = [refuses, succeeds];
    await expect(written(answers)).rejects.toMatchObject({ code: "SESSION_STORE" });
    expect(answers).toEqual([succeeds]);
  });
});

describe("in a process of its own", () => {
  const scripts = compileScripts(["lib/errors.ts", "lib/record", "lib/stores", "test/support"]);
  afterAll(() => scripts.dispose());

  /** Runs a script to its end, in a shell that sets limits first; answers what it printed. */
  const run = (script: string, limits = "true") =>
    execFileSync("sh", ["-c", `${limits}; exec "$0" "$@"`, process.execPath, scripts.path(script), path], {
      env: scripts.env,
      encoding: "utf8",
      timeout: 20_000,
      stdio: ["ignore", "pipe", "ignore"],
    });

  it("P7: a full disk rejects the writes with SESSION_STORE; reading goes on, and so do writes once there is room", () => {
    const answer = JSON.parse(run("test/support/lmdb-full-disk.ts", "ulimit -f 2000"));
    expect(answer).toEqual({
      rejected: ["SESSION_STORE"],
      message: expect.stringMatching(
        /The session folder .*my\.sessions can't be written: .*See that its disk has room/,
      ),
      acknowledgedAreThere: true,
      smallWrite: true,
      unhandled: 0,
      closed: true,
    });
  });

  it("an open store does not keep the process alive", () => {
    expect(run("test/support/lmdb-left-open.ts")).toBe("created\n");
  });
});
