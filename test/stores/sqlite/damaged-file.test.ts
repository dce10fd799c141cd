import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EndedRecord, SessionRecord } from "../../../lib/record/session-record";
import type { FindQuery } from "../../../lib/stores/store";
import { SqliteStore } from "../../../lib/stores/sqlite/sqlite-store";
import { randomFrom } from "../../support/random";
import { killed, sessionRecord } from "../../support/session-records";
import { faultsOf, inFile } from "../../support/sqlite-checks";
import { howMany } from "../../support/how-many";

/** Which bytes are changed; set the seed of a failed run to repeat it. */
const SEED = Number(process.env.COATCHECK_SEED ?? Date.now() % 1_000_000);
const FLIPS = howMany(60, 5_000);
const HOUR = 3_600_000;
const REFUSED = /^SESSION_(STORE|UNREADABLE)$/;
let base: string;
let path: string;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "coatcheck-damaged-"));
  path = join(base, "sessions");
});

afterEach(() => rmSync(base, { recursive: true }));

async function all(store: SqliteStore, query: FindQuery): Promise<(SessionRecord | EndedRecord)[]> {
  const found: (SessionRecord | EndedRecord)[] = [];
  for await (const record of store.find(query)) found.push(record);
  return found;
}

/** Fills the folder with a session file that no process has open: sessions of all sizes, and some that have ended. */
async function filledFolder() {
  const records = Array.from({ length: 60 }, (_, n) =>
    sessionRecord({
      ...{ owner: `user${n % 5}`, scope: n % 2 === 0 ? "browser" : "ios" },
      data: { cart: JSON.stringify("x".repeat(n ** 2)), clone: new Uint8Array(n).fill(n) },
    }),
  );
  const over = records.slice(50);
  const original = join(base, "original");
  const store = new SqliteStore({ path: original });
  for (const record of records) await store.create(record);
  for (const { id } of over) await store.end(id, killed());
  await store.close();
  inFile(original, (db) => db.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get());
  mkdirSync(path);
  cpSync(join(original, "sessions.db"), join(path, "sessions.db"));
  return { live: records.slice(0, 50), over };
}

/** What `read` resolves to, or the code of its error. */
async function outcome<T>(read: () => T | Promise<T>): Promise<T | string> {
  try {
    return await read();
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === undefined || !REFUSED.test(code)) throw error;
    return code;
  }
}

/** Reads everything in a damaged folder, and changes some of it. Each result has to be right, or an error. */
async function expectNothingWrong(folder: string, live: readonly SessionRecord[]) {
  const store = await outcome(() => new SqliteStore({ path: folder }));
  const counts = { opened: typeof store !== "string", right: 0, refused: 0, absent: 0 };
  if (typeof store === "string") return counts;
  const known = new Map(live.map((record) => [record.id, record]));
  for (const record of live) {
    const read = await outcome(() => store.load(record.id));
    if (read === undefined) counts.absent += 1;
    else if (typeof read === "string") counts.refused += 1;
    else expect(read).toEqual(record);
  }
  counts.right = live.length - counts.refused - counts.absent;
  for (const query of [{ state: "live" }, { state: "live", owner: "user3" }] as const) {
    const found = await outcome(() => all(store, query));
    if (typeof found !== "string") for (const record of found) expect(record).toEqual(known.get(record.id));
  }
  await outcome(() => all(store, { state: "ended" }));
  await outcome(() => store.tally(Date.now()));
  const changed = await Promise.all(
    live.slice(0, 10).map(({ id }) => outcome(() => store.update(id, { data: { set: { a: "1" } } }))),
  );
  for (const [n, { id, data, ...rest }] of live.slice(0, 10).entries()) {
    const read = await outcome(() => store.load(id));
    if (changed[n] === true && typeof read === "object")
      expect(read).toEqual({ ...rest, id, data: { ...data, a: "1" } });
  }
  await Promise.all([
    ...live.slice(10, 15).map(({ id }) => outcome(() => store.end(id, killed()))),
    outcome(() => store.create(sessionRecord())),
  ]);
  await outcome(() => store.clear(Date.now() + 100 * HOUR));
  await store.close();
  return counts;
}

it(`P9: no byte that changes in the file turns a session into another one or ends the process (COATCHECK_SEED=${SEED})`, async () => {
  const { live } = await filledFolder();
  const sound = readFileSync(join(path, "sessions.db"));
  const used = [...sound.keys()].filter((at) => sound[at] !== 0);
  const random = randomFrom(SEED);
  const total = { opened: 0, right: 0, refused: 0 };
  for (let flip = 0; flip < FLIPS; flip += 1) {
    const damaged = Buffer.from(sound);
    damaged[random.pick(used)]! ^= 1 << random.pick([0, 1, 2, 3, 4, 5, 6, 7]);
    const folder = join(base, `flip${flip}`);
    mkdirSync(folder);
    writeFileSync(join(folder, "sessions.db"), damaged);
    const { opened, right, refused } = await expectNothingWrong(folder, live);
    total.opened += opened ? 1 : 0;
    total.right += right;
    total.refused += refused;
    rmSync(folder, { recursive: true });
  }
  expect(total.opened).toBeGreaterThan(FLIPS / 2);
  expect(total.refused).toBeGreaterThan(0);
  expect(total.right / (total.opened * live.length)).toBeGreaterThan(0.8);
});

it("P7: a file that was cut off is refused when it is opened, and stays as it is", async () => {
  const { live } = await filledFolder();
  const file = join(path, "sessions.db");
  const { size } = statSync(file);
  for (const length of [size - 4096, size / 2, 4096, 2000, 100, 50, 2].map(Math.floor)) {
    execFileSync("truncate", ["-s", String(length), file]);
    expect(await expectNothingWrong(path, live)).toMatchObject({ opened: false });
    expect(() => new SqliteStore({ path })).toThrow(/can't be opened: .*restore a backup or delete the folder/);
    expect(statSync(file).size).toBe(length);
  }
});

it("P9: of a file whose last byte is missing, all but one session are there, and that one is not absent", async () => {
  const { live } = await filledFolder();
  const file = join(path, "sessions.db");
  execFileSync("truncate", ["-s", String(statSync(file).size - 1), file]);
  const { right, absent } = await expectNothingWrong(path, live);
  expect(right).toBeGreaterThanOrEqual(live.length - 1);
  expect(absent).toBe(0);
});

it("P7: a file that is cut off while it is open is refused, and the process goes on", async () => {
  const { live } = await filledFolder();
  const [first, ...rest] = live;
  const store = new SqliteStore({ path });
  await store.load(first!.id);
  // In another process: to close the file here would drop SQLite's locks.
  execFileSync("truncate", ["-s", "8192", join(path, "sessions.db")]);
  const outcomes: unknown[] = [];
  for (const record of rest) {
    const read = await outcome(() => store.load(record.id));
    if (typeof read === "string") outcomes.push(read);
    else expect(read).toEqual(record);
  }
  expect(outcomes).toContain("SESSION_STORE");
  await outcome(() => store.update(first!.id, { owner: "eve" }));
  await outcome(() => store.create(sessionRecord()));
  await store.close();
});

it("P9: what can't be read is unreadable and never absent, the rest is found around it, and it is cleared when it is due", async () => {
  const [damaged, newer, sound] = [sessionRecord(), sessionRecord(), sessionRecord()];
  const store = new SqliteStore({ path });
  for (const record of [damaged, newer, sound]) await store.create(record);
  inFile(path, (db) => {
    db.prepare("UPDATE session SET data = 'garbage' WHERE id = ?").run(damaged.id);
    db.prepare("UPDATE session SET format = 2 WHERE id = ?").run(newer.id);
  });
  for (const { id } of [damaged, newer]) {
    const unreadable = { code: "SESSION_UNREADABLE", message: expect.stringContaining(id) };
    await expect(async () => store.load(id)).rejects.toMatchObject(unreadable);
    await expect(store.update(id, { owner: "eve" })).rejects.toMatchObject(unreadable);
    await expect(store.mutate(id, () => ({ owner: "eve" }))).rejects.toMatchObject(unreadable);
    await expect(store.create(sessionRecord({ id }))).rejects.toMatchObject({ code: "SESSION_EXISTS" });
  }
  expect(await all(store, { state: "live" })).toEqual([sound]);
  expect(await store.clear(Date.now())).toBe(0);
  await expect(async () => store.load(damaged.id)).rejects.toThrow(/is damaged/);
  await expect(async () => store.load(newer.id)).rejects.toThrow(/format 2, .* upgrade coatcheck/);
  expect(await store.clear(sound.purgeAt + HOUR)).toBe(3);
  for (const { id } of [damaged, newer, sound]) expect(await store.load(id)).toBeUndefined();
  await store.close();
  expect(faultsOf(path)).toEqual([]);
});

it("P2: a session that can't be read can be ended and replaced, and its owner is known", async () => {
  const [damaged, replaced] = [sessionRecord({ owner: "alice" }), sessionRecord({ owner: "alice" })];
  const successor = sessionRecord();
  const store = new SqliteStore({ path });
  for (const record of [damaged, replaced]) await store.create(record);
  inFile(path, (db) => db.exec("UPDATE session SET data = 'garbage', counters = 'garbage'"));
  expect(await store.end(damaged.id, killed())).toBe(true);
  expect(await store.replace(replaced.id, killed(), successor)).toBe(true);
  for (const { id } of [damaged, replaced]) expect(await store.load(id)).toBeUndefined();
  expect(await store.load(successor.id)).toEqual(successor);
  expect((await all(store, { state: "ended", owner: "alice" })).map(({ id }) => id).sort()).toEqual(
    [damaged.id, replaced.id].sort(),
  );
  await store.close();
  expect(faultsOf(path)).toEqual([]);
});

it("P2: a session whose group can't be read can be ended, and an unreadable ended session doesn't prevent others from being found", async () => {
  const [damaged, over, sound] = [sessionRecord(), sessionRecord(), sessionRecord({ owner: "alice" })];
  const store = new SqliteStore({ path });
  for (const record of [damaged, over, sound]) await store.create(record);
  for (const { id } of [over, sound]) await store.end(id, killed());
  inFile(path, (db) => {
    db.exec("UPDATE session SET project = 7, scope = 1.5; UPDATE tally SET project = 8");
    db.prepare("UPDATE ended SET owner = 9, reason = '' WHERE id = ?").run(over.id);
  });
  expect(await outcome(() => store.load(damaged.id))).toBe("SESSION_UNREADABLE");
  expect(await outcome(() => store.tally(Date.now()))).toBeDefined();
  expect(await store.end(damaged.id, killed())).toBe(true);
  expect((await all(store, { state: "ended" })).map(({ id }) => id)).toContain(sound.id);
  await store.close();
});

it("opens a file in which somebody has made a view with names of their own", async () => {
  const store = new SqliteStore({ path });
  await store.create(sessionRecord());
  await store.close();
  inFile(path, (db) => db.exec("CREATE VIEW report AS SELECT count(*) AS Total FROM session"));
  const reopened = new SqliteStore({ path });
  expect(await all(reopened, { state: "live" })).toHaveLength(1);
  await reopened.close();
});

it.each(["tally", "session", "ended"])(
  "P9: a file in which a bit has changed the case of a column's name is refused: %s",
  async (table) => {
    const store = new SqliteStore({ path });
    await store.create(sessionRecord());
    await store.close();
    inFile(path, (db) => db.exec(`ALTER TABLE ${table} RENAME COLUMN project TO pRoject`));
    expect(() => new SqliteStore({ path })).toThrow(/can't be opened: .*pRoject is damaged.*restore a backup/);
    inFile(path, (db) => db.exec(`ALTER TABLE ${table} RENAME COLUMN pRoject TO project`));
    const mended = new SqliteStore({ path });
    expect(await all(mended, { state: "live" })).toHaveLength(1);
    await mended.close();
  },
);
