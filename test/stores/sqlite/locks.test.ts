import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Database } from "../../../lib/stores/sqlite/file/driver";
import { SessionFile } from "../../../lib/stores/sqlite/file/session-file";
import { SqliteStore } from "../../../lib/stores/sqlite/sqlite-store";
import { killed, sessionRecord } from "../../support/session-records";
import { connectTo, faultsOf } from "../../support/sqlite-checks";

let path: string;
let store: SqliteStore;
let other: Database;
const record = sessionRecord();

beforeEach(async () => {
  path = mkdtempSync(join(tmpdir(), "coatcheck-locks-"));
  store = new SqliteStore({ path });
  await store.create(record);
  other = connectTo(path);
});

afterEach(async () => {
  other.close();
  await store.close();
  expect(faultsOf(path)).toEqual([]);
  rmSync(path, { recursive: true });
});

describe("while another connection holds the lock for writing", () => {
  it("P7: writes wait, the event loop and loads go on, and the writes succeed in their order once the lock is free", async () => {
    other.exec("BEGIN IMMEDIATE");
    const [created, successor] = [sessionRecord(), sessionRecord()];
    const settled: string[] = [];
    const told = <T>(name: string, write: Promise<T>) => write.finally(() => settled.push(name));
    const writes = [
      told("update", store.update(record.id, { data: { set: { a: "1" } } })),
      told(
        "mutate",
        store.mutate(record.id, ({ data }) => ({ data: { set: { b: `${String(data.a)}2` } } })),
      ),
      told("create", store.create(created)),
      told("replace", store.replace(created.id, killed(), successor)),
      told("end", store.end(successor.id, killed())),
    ];
    // This very thread has the lock, so waiting for it synchronously would never end.
    for (let turn = 0; turn < 20; turn += 1) {
      await delay(5);
      expect(await store.load(record.id)).toEqual(record);
    }
    expect(settled).toEqual([]);
    other.exec("COMMIT");
    await Promise.all(writes);
    expect((await store.load(record.id))!.data).toEqual({ a: "1", b: "12" });
    expect([await store.load(created.id), await store.load(successor.id)]).toEqual([undefined, undefined]);
  });

  it("find and tally go on", async () => {
    other.exec("BEGIN IMMEDIATE");
    const found: string[] = [];
    for await (const { id } of store.find({ state: "live" })) found.push(id);
    expect(found).toEqual([record.id]);
    expect(await store.tally(Date.now())).toMatchObject([{ live: 1 }]);
    other.exec("COMMIT");
  });

  it("closing waits for waiting writes", async () => {
    other.exec("BEGIN IMMEDIATE");
    const update = store.update(record.id, { data: { set: { a: "1" } } });
    const closing = store.close();
    await delay(20);
    other.exec("COMMIT");
    expect(await update).toBe(true);
    await closing;
    store = new SqliteStore({ path });
    expect((await store.load(record.id))!.data.a).toBe("1");
  });

  it("P7: a write that waited five seconds rejects with SESSION_STORE, and later writes succeed once the lock is free", async () => {
    other.exec("BEGIN IMMEDIATE");
    const refused = { code: "SESSION_STORE", message: expect.stringContaining("database is locked") };
    const first = store.update(record.id, { data: { set: { first: "1" } } });
    const failing = expect(first).rejects.toMatchObject(refused);
    const second = first.then(
      () => undefined,
      () => store.update(record.id, { data: { set: { second: "2" } } }),
    );
    await failing;
    expect(await store.load(record.id)).toEqual(record);
    other.exec("COMMIT");
    expect(await second).toBe(true);
    expect((await store.load(record.id))!.data).toEqual({ second: "2" });
  });

  it("P2: the outcome of each write is what it found once it had the lock", async () => {
    other.exec("BEGIN IMMEDIATE");
    const writes = [store.update(record.id, { owner: "eve" }), store.end(record.id, killed())];
    other.prepare("DELETE FROM session WHERE id = ?").run(record.id);
    other.exec("DELETE FROM tally");
    await delay(20);
    other.exec("COMMIT");
    expect(await Promise.all(writes)).toEqual([false, false]);
    expect(await store.load(record.id)).toBeUndefined();
  });
});

describe("a read that finds the file locked", () => {
  /** The error of SQLite's while another process recovers or closes the file. */
  const busy = () => Object.assign(new Error("database is locked"), { errcode: 261 });
  let file: SessionFile;
  beforeEach(() => (file = new SessionFile(path)));
  afterEach(() => file.close());

  it("is tried again until it succeeds", async () => {
    let tries = 0;
    const reading = file.read(() => {
      tries += 1;
      if (tries < 5) throw busy();
      return "read";
    });
    expect(await reading).toBe("read");
    expect(tries).toBe(5);
  });

  it("and then fails for another reason reports that reason", async () => {
    let tries = 0;
    const reading = async () =>
      file.read(() => {
        tries += 1;
        throw tries < 3 ? busy() : new TypeError("something else");
      });
    await expect(reading).rejects.toThrow(new TypeError("something else"));
    expect(tries).toBe(3);
  });
});
