import { mkdirSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { SqliteStore } from "../../../lib/stores/sqlite/sqlite-store";
import { killed, sessionRecord } from "../../support/session-records";
import { faultsOf } from "../../support/sqlite-checks";

let base: string;
let path: string;
let store: SqliteStore;
const [record, unseen] = [sessionRecord(), sessionRecord()];
const LOST = { code: "SESSION_STORE", message: expect.stringMatching(/^The session file .*\/sessions\.db /) };

beforeEach(async () => {
  base = mkdtempSync(join(tmpdir(), "coatcheck-lost-"));
  path = join(base, "sessions");
  store = new SqliteStore({ path });
  await Promise.all([store.create(record), store.create(unseen)]);
});

afterEach(async () => {
  await store.close();
  rmSync(base, { recursive: true });
});

async function findAll(): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id } of store.find({ state: "live" })) ids.push(id);
  return ids;
}

/** Resolves once `read` is refused. */
async function refused(read: () => Promise<unknown>): Promise<unknown> {
  for (;;) {
    try {
      await read();
    } catch (error) {
      return error;
    }
    await delay(20);
  }
}

describe("P7: once the session file", () => {
  it.each<[string, () => void | Promise<void>]>([
    ["was deleted", () => rmSync(join(path, "sessions.db"))],
    ["was deleted with its folder", () => rmSync(path, { recursive: true })],
    ["was moved with its folder", () => renameSync(path, join(base, "elsewhere"))],
    [
      "was replaced by another one",
      async () => {
        const another = new SqliteStore({ path: join(base, "another") });
        await another.create(sessionRecord());
        await another.close();
        renameSync(join(base, "another", "sessions.db"), join(path, "sessions.db"));
      },
    ],
    [
      "was replaced by something else",
      () => {
        renameSync(path, join(base, "elsewhere"));
        mkdirSync(path);
        writeFileSync(join(path, "sessions.db"), "something else");
      },
    ],
    [
      "has a file in the place of its folder",
      () => {
        renameSync(path, join(base, "elsewhere"));
        writeFileSync(path, "something else");
      },
    ],
  ])("%s, nothing is written any more, and soon nothing read, whether or not it is in memory", async (_how, lose) => {
    await lose();
    const writes = await Promise.allSettled([
      store.create(sessionRecord()),
      store.update(record.id, { owner: "alice" }),
      store.mutate(record.id, () => ({ owner: "alice" })),
      store.replace(record.id, killed(), sessionRecord()),
      store.end(record.id, killed()),
      store.clear(Date.now()),
    ]);
    for (const write of writes) expect(write).toMatchObject({ reason: LOST });
    for (const read of [
      async () => store.load(record.id),
      async () => store.load(unseen.id),
      () => findAll(),
      () => store.tally(Date.now()),
    ]) {
      expect(await refused(read)).toMatchObject(LOST);
    }
  });
});

it("goes on once the folder was moved back", async () => {
  renameSync(path, join(base, "elsewhere"));
  await expect(store.update(record.id, { owner: "alice" })).rejects.toMatchObject({
    code: "SESSION_STORE",
    message: `The session file ${path}/sessions.db was deleted, moved or replaced while it was open; restart this process.`,
  });
  renameSync(join(base, "elsewhere"), path);
  expect(await store.update(record.id, { owner: "alice" })).toBe(true);
  expect((await store.load(record.id))!.owner).toBe("alice");
  expect(await findAll()).toHaveLength(2);
});

it("P7: each write has an outcome where the file is lost between those of one turn", async () => {
  const write = () => store.update(record.id, { counters: { n: 1 } });
  const losing = store.mutate(record.id, () => {
    renameSync(path, join(base, "elsewhere"));
    throw new Error("refused");
  });
  const outcomes = await Promise.allSettled([write(), losing, write(), write()]);
  expect(outcomes).toEqual(outcomes.map(() => expect.objectContaining({ status: "rejected" })));
  await expect(write()).rejects.toMatchObject(LOST);
});

it("closing does no harm to the file that took its place", async () => {
  renameSync(path, join(base, "elsewhere"));
  const successor = new SqliteStore({ path });
  await successor.create(record);
  await store.close();
  expect(statSync(join(path, "sessions.db-wal")).size).toBeGreaterThan(0);
  expect(await successor.update(record.id, { owner: "alice" })).toBe(true);
  expect(await successor.load(record.id)).toEqual({ ...record, owner: "alice" });
  await successor.close();
  expect(faultsOf(path)).toEqual([]);
  expect(faultsOf(join(base, "elsewhere"))).toEqual([]);
});
