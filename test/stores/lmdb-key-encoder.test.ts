import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { open } from "lmdb";
import { LmdbFolder } from "../../lib/stores/lmdb-folder";
import { LmdbStore } from "../../lib/stores/lmdb-store";
import { rawDatabase } from "../support/raw-lmdb";
import { sessionRecord } from "../support/session-records";

let path: string;

beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), "coatcheck-keys-"));
});

afterEach(() => rmSync(path, { recursive: true }));

it("keys are in the order of their bytes, whether one begins another or not", async () => {
  const texts = ["a", "aa", "aaaa", "aaaaa", "aaaab", "ab", "b", "é", "ÿ", "€", "\u{ffff}", "\u{10ffff}"];
  const root = open({ path, noSubdir: false });
  const database = rawDatabase(root, "keys");
  for (const text of texts.toReversed()) await database.put(text, Buffer.from(text), 1);
  expect([...database.getKeys()]).toEqual(texts);
  expect([...database.getKeys({ start: "aaaaa", end: "é" })]).toEqual(["aaaaa", "aaaab", "ab", "b"]);
  for (const text of texts) expect(database.get(text)).toEqual(Buffer.from(text));
  await root.close();
});

it("what a folder has of records with keys as lmdb writes them by default is found", async () => {
  const record = sessionRecord();
  const store = new LmdbStore({ path });
  await store.create(record);
  await store.close();
  const raw = open({ path, noSubdir: false });
  const live = raw.openDB<Buffer, string>("live", { encoding: "binary", useVersions: true });
  const copied = sessionRecord().id;
  await live.put(copied, Buffer.from(live.get(record.id)!), 1);
  await raw.close();
  const folder = new LmdbFolder(path);
  expect(folder.read(() => folder.live.ids(undefined, 10))).toEqual([record.id, copied].sort());
  expect(folder.read(() => folder.live.read(copied))?.record).toEqual({ ...record, id: copied });
  await folder.close();
});

it("an id that is empty, or too long for a key, is not found, and one that is too long is refused when it is stored", async () => {
  const store = new LmdbStore({ path });
  expect(store.load("")).toBeUndefined();
  expect(await store.update("", { owner: "eve" })).toBe(false);
  for (const id of ["x".repeat(5000), "x".repeat(100_000)]) {
    expect(store.load(id)).toBeUndefined();
    await expect(store.create(sessionRecord({ id }))).rejects.toMatchObject({ code: "SESSION_STORE" });
    expect(store.load(id)).toBeUndefined();
  }
  await store.close();
});
