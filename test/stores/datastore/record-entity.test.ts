import { dictionary } from "../../../lib/record/session-record";
import { idOfEntity, liveProperties } from "../../../lib/stores/datastore/entity/record-entity";
import { DatastoreRpc } from "../../../lib/stores/datastore/calls/datastore-rpc";
import { DatastoreStore } from "../../../lib/stores/datastore/datastore-store";
import type { Properties, Value } from "../../../lib/stores/datastore/wire/messages";
import { describeOnEmulator, emulatorHost, freshNamespace } from "../../support/datastore-emulator";
import { killed, sessionRecord } from "../../support/session-records";

/** The paths of all values that are indexed, embedded ones included. */
function indexedPaths(properties: Properties, parent = ""): string[] {
  return Object.entries(properties).flatMap(([name, value]: [string, Value]) => {
    const inner = value.entityValue === undefined ? [] : indexedPaths(value.entityValue.properties, `${name}.`);
    return value.excludeFromIndexes === true ? inner : [parent + name, ...inner];
  });
}

describeOnEmulator("What DatastoreStore keeps", () => {
  let store: DatastoreStore;
  let rpc: DatastoreRpc;

  beforeEach(() => {
    const where = { emulatorHost: emulatorHost(), namespace: freshNamespace(), databaseId: "", timeoutMs: 5_000 };
    store = new DatastoreStore(where);
    rpc = new DatastoreRpc(where);
  });

  afterEach(() => Promise.all([store.close(), rpc.close()]));

  /** By a query: the client reads its responses with Google's own library, which also tells what is indexed. */
  const stored = async (id: string, kind = "session") => {
    for await (const page of rpc.query(kind, [], 300)) {
      const found = page.find(({ entity }) => idOfEntity(entity) === id);
      if (found !== undefined) return found.entity.properties;
    }
    return {};
  };
  const write = (id: string, properties: Properties) =>
    rpc.commit([{ upsert: { key: rpc.key("session", id), properties } }], "single");

  it("indexes what is found, cleared and counted by, and nothing else, at any depth", async () => {
    const record = sessionRecord({ data: { a: "1" } });
    await store.create(record);
    await store.update(record.id, {
      owner: "alice",
      lastSeenAt: 1,
      expiresAt: record.expiresAt + 1,
      purgeAt: record.purgeAt + 1,
      data: { set: { b: JSON.stringify("x".repeat(2_000)), "c.d": new Uint8Array(2_000) } },
      attributes: {
        set: { a: { value: '"v"', encrypted: false, createdAt: 1, modifiedAt: 1, expiresAt: Infinity } },
      },
      keys: { set: { k: { payload: "null", createdAt: 1, expiresAt: 2 } } },
      pages: { set: { p: { path: "/", title: "", openedAt: 1, seenAt: 1 } } },
      counters: { n: 1, f: 0.5 },
    });
    expect(indexedPaths(await stored(record.id)).sort()).toEqual(["owner", "project", "scope", "sweep", "tally"]);
    await store.end(record.id, killed());
    expect(indexedPaths(await stored(record.id, "session-ended")).sort()).toEqual([
      ...["owner", "project", "scope", "sweep"],
    ]);
  });

  it("writes when to purge as a timestamp and a sweep, and neither where that never comes", async () => {
    const purgeAt = Date.UTC(2030, 0, 1, 0, 19, 59, 999);
    const record = sessionRecord({ id: "Zed", purgeAt });
    await store.create(record);
    const before = await stored("Zed");
    expect(before.purgeAt?.timestampValue).toMatchObject({ seconds: "1893457199", nanos: 999_000_000 });
    expect(before.sweep?.stringValue).toBe("Z|0003155761");
    await store.update("Zed", { expiresAt: Infinity, purgeAt: Infinity });
    const after = await stored("Zed");
    expect([after.purgeAt, after.sweep]).toEqual([undefined, undefined]);
    expect((await store.load("Zed"))?.purgeAt).toBe(Infinity);
    await store.update("Zed", { expiresAt: 1, purgeAt });
    expect((await stored("Zed")).sweep?.stringValue).toBe("Z|0003155761");
    expect((await store.load("Zed"))?.purgeAt).toBe(purgeAt);
  });

  it("takes an end after the year 9999 for one that never comes", async () => {
    const record = sessionRecord({ purgeAt: Date.UTC(10_000, 0, 1) });
    await store.create(record);
    expect((await store.load(record.id))?.purgeAt).toBe(Infinity);
  });

  it("keeps an ended session apart, without its data", async () => {
    const record = sessionRecord({ data: { secret: '"tea"' } });
    await store.create(record);
    await store.end(record.id, killed());
    expect(await stored(record.id)).toEqual({});
    expect(Object.keys(await stored(record.id, "session-ended"))).not.toContain("data");
  });

  it("P9: takes every number that a record can hold", async () => {
    const counters = { a: -1.5, b: Infinity, c: 2 ** 60, d: Number.MAX_SAFE_INTEGER, e: 0 };
    const record = sessionRecord({ counters });
    await store.create(record);
    expect({ ...(await store.load(record.id))?.counters }).toEqual(counters);
  });

  it("says that a record of a newer format can't be read, and does not take it for missing", async () => {
    const record = sessionRecord();
    await write(record.id, { ...liveProperties(record), v: { integerValue: 2 } });
    await expect(store.load(record.id)).rejects.toMatchObject({ code: "SESSION_UNREADABLE" });
    await expect(store.load(record.id)).rejects.toThrow(/format 2/);
    await expect(store.mutate(record.id, () => ({ owner: "a" }))).rejects.toMatchObject({ code: "SESSION_UNREADABLE" });
  });

  it.each<[string, Properties]>([
    ["no owner", { owner: { nullValue: 0 } }],
    ["a number where text belongs", { scope: { integerValue: 1 } }],
    ["no data", { data: { stringValue: "{}" } }],
    ["a foreign property in its data", { data: { entityValue: { properties: { foreign: { stringValue: "1" } } } } }],
    ["a number as a value", { data: { entityValue: { properties: { k_a: { integerValue: 1 } } } } }],
  ])("says that a record with %s is damaged, names it, and shows no value", async (_, damage) => {
    const record = sessionRecord({ data: { a: '"tea"' } });
    await write(record.id, { ...liveProperties(record), ...damage });
    await expect(store.load(record.id)).rejects.toMatchObject({ code: "SESSION_UNREADABLE" });
    await expect(store.load(record.id)).rejects.toThrow(record.id);
    await expect(store.load(record.id)).rejects.not.toThrow("tea");
  });

  it("passes over what can't be read when it searches, and ends a session whose data are damaged", async () => {
    const [whole, damaged] = [sessionRecord({ owner: "alice" }), sessionRecord({ owner: "alice" })];
    await store.create(whole);
    await write(damaged.id, { ...liveProperties(damaged), data: { stringValue: "?" } });
    const found: string[] = [];
    for await (const record of store.find({ state: "live", owner: "alice" })) found.push(record.id);
    expect(found).toEqual([whole.id]);
    expect(await store.end(damaged.id, killed())).toBe(true);
    expect(await stored(damaged.id)).toEqual({});
  });

  it("finds by owner and project among many without a composite index, over several batches", async () => {
    const records = Array.from({ length: 660 }, (_, index) =>
      sessionRecord({ owner: `owner${index % 2}`, project: `project${index % 3 === 0 ? 0 : 1}` }),
    );
    for (let start = 0; start < records.length; start += 60) {
      await Promise.all(records.slice(start, start + 60).map((record) => store.create(record)));
    }
    const wanted = records.filter(({ owner, project }) => owner === "owner1" && project === "project0");
    const found: string[] = [];
    for await (const { id } of store.find({ state: "live", owner: "owner1", project: "project0" })) found.push(id);
    expect(found.sort()).toEqual(wanted.map(({ id }) => id).sort());
  });

  it("keeps kinds and namespaces apart", async () => {
    const record = sessionRecord();
    await store.create(record);
    const others = [{ kind: "visit" }, { namespace: freshNamespace() }, { projectId: "demo-other" }];
    for (const where of others) {
      const other = new DatastoreStore({ emulatorHost: emulatorHost(), ...where });
      expect(await other.load(record.id)).toBeUndefined();
      await other.close();
    }
  });

  it("P9: hands out maps that inherit nothing", async () => {
    const record = sessionRecord();
    await store.create(record);
    const loaded = await store.load(record.id);
    for (const map of [loaded?.data, loaded?.attributes, loaded?.keys, loaded?.pages, loaded?.counters]) {
      expect(map).toStrictEqual(dictionary());
      expect("__proto__" in map!).toBe(false);
    }
  });
});
