import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import type { SessionRecord } from "../../../lib/record/session-record";
import { liveProperties } from "../../../lib/stores/datastore/entity/record-entity";
import { DatastoreLookups } from "../../../lib/stores/datastore/calls/datastore-lookups";
import { DatastoreRpc } from "../../../lib/stores/datastore/calls/datastore-rpc";
import { DatastoreStore } from "../../../lib/stores/datastore/datastore-store";
import { describeOnEmulator, emulatorHost, freshNamespace } from "../../support/datastore-emulator";
import { GrpcProxy } from "../../support/grpc-proxy";
import { sessionRecord } from "../../support/session-records";

const MOST_WAITING = 10_000;

describeOnEmulator("Loads from DatastoreStore at the same time", () => {
  let namespace: string;
  let proxy: GrpcProxy;
  let store: DatastoreStore;
  let other: DatastoreStore;

  beforeEach(async () => {
    namespace = freshNamespace();
    proxy = await new GrpcProxy(emulatorHost()).open();
    store = new DatastoreStore({ emulatorHost: proxy.address, namespace, timeoutMs: 20_000 });
    // As in another process.
    other = new DatastoreStore({ emulatorHost: emulatorHost(), namespace, timeoutMs: 20_000 });
  });

  afterEach(async () => {
    await Promise.all([store.close(), other.close()]);
    await proxy.close();
  });

  const stored = async (count: number) => {
    const records = Array.from({ length: count }, (_, index) => sessionRecord({ data: { n: String(index) } }));
    await Promise.all(records.map((record) => other.create(record)));
    return records;
  };

  it("go in one lookup, including missing ids and ids asked for twice", async () => {
    const records = await stored(9);
    const ids = [...records.map(({ id }) => id), sessionRecord().id];
    const loaded = await Promise.all([...ids, ...ids].map((id) => store.load(id)));
    expect(proxy.calls.Lookup).toBe(1);
    const data = [...records.map((record) => record.data.n), undefined];
    expect(loaded.map((record) => record?.data.n)).toEqual([...data, ...data]);
  });

  it("give each caller its own record", async () => {
    const record = sessionRecord({ data: { text: "1", bytes: new Uint8Array([1, 2]) }, counters: { n: 1 } });
    await other.create(record);
    const [one, two] = await Promise.all([store.load(record.id), store.load(record.id)]);
    expect(proxy.calls.Lookup).toBe(1);
    one!.data.text = "2";
    (one!.data.bytes as Uint8Array)[0] = 9;
    one!.counters.n = 9;
    expect([two!.data.text, two!.data.bytes, two!.counters.n]).toEqual(["1", new Uint8Array([1, 2]), 1]);
  });

  it("go a thousand at a time", async () => {
    const [first, last] = await stored(2);
    const strangers = Array.from({ length: 1_998 }, () => sessionRecord().id);
    const loaded = await Promise.all([first!.id, ...strangers, last!.id].map((id) => store.load(id)));
    expect(proxy.calls.Lookup).toBe(2);
    expect(loaded.filter(Boolean).map((record) => record?.id)).toEqual([first!.id, last!.id]);
  });

  it.each([1, 20])("see what was acknowledged while a lookup of %s was under way", async (count) => {
    const [record, ...others] = await stored(count);
    const gate = proxy.holdNext("after");
    const before = Promise.all([record!, ...others].map(({ id }) => store.load(id)));
    await gate.reached;
    expect(await store.update(record!.id, { data: { set: { n: '"here"' } } })).toBe(true);
    expect((await store.load(record!.id))?.data.n).toBe('"here"');
    expect(await other.update(record!.id, { data: { set: { n: '"elsewhere"' } } })).toBe(true);
    expect((await store.load(record!.id))?.data.n).toBe('"elsewhere"');
    gate.open();
    expect((await before)[0]?.data.n).toBe("0");
  });

  it("gather while a call is under way, where there are many", async () => {
    const records = await stored(60);
    const first = records.slice(0, 30);
    const gate = proxy.holdNext("after");
    const loading = first.map(({ id }) => store.load(id));
    await gate.reached;
    const gathered: Promise<SessionRecord | undefined>[] = [];
    for (const { id } of records.slice(30)) {
      gathered.push(store.load(id));
      await new Promise((later) => setImmediate(later));
    }
    gate.open();
    const loaded = await Promise.all([...loading, ...gathered]);
    expect(loaded.map((record) => record?.id)).toEqual(records.map(({ id }) => id));
    // Two; on a machine so slow that the longest wait ends meanwhile, one or two more.
    expect(proxy.calls.Lookup).toBeLessThanOrEqual(4);
  });

  describe("while as many updates are under way", () => {
    let lookups: jest.SpyInstance;
    let isStanding = false;

    beforeEach(() => (lookups = jest.spyOn(DatastoreRpc.prototype, "lookupAll")));

    afterEach(() => {
      // What a failed test still holds back would never be sent.
      if (isStanding) jest.advanceTimersByTime(10);
      isStanding = false;
      jest.useRealTimers();
      lookups.mockRestore();
    });

    const turns = async () => {
      for (let turn = 0; turn < 5; turn += 1) await new Promise((later) => setImmediate(later));
    };

    /** Ten updates that are held back, and ten loads that were asked for since; the clock stands still. */
    const underWay = async () => {
      const records = await stored(20);
      const gate = proxy.holdNext("before");
      const saved = records.slice(0, 10).map(({ id }) => store.update(id, { data: { set: { n: '"saved"' } } }));
      await gate.reached;
      jest.useFakeTimers({
        doNotFake: ["performance", "Date", "nextTick", "queueMicrotask", "setImmediate", "setInterval"],
      });
      isStanding = true;
      const loads = records.slice(10).map(({ id }) => store.load(id));
      await turns();
      expect(lookups).not.toHaveBeenCalled();
      return { gate, saved, loads, records };
    };

    it("wait for the updates' callers, and go with their next loads", async () => {
      const { gate, saved, loads, records } = await underWay();
      gate.open();
      const next = records
        .slice(0, 10)
        .map(async ({ id }, n) => ((await saved[n]) === true ? store.load(id) : undefined));
      const loaded = await Promise.all([...next, ...loads]);
      expect(loaded.map((record) => record?.id)).toEqual(records.map(({ id }) => id));
      expect(loaded[0]?.data.n).toBe('"saved"');
      expect(lookups).toHaveBeenCalledTimes(1);
    });

    it("are sent after the updates where nobody asks again", async () => {
      const { gate, saved, loads, records } = await underWay();
      gate.open();
      expect(await Promise.all(saved)).toEqual(saved.map(() => true));
      await turns();
      expect(lookups).toHaveBeenCalledTimes(1);
      const loaded = await Promise.all(loads);
      expect(loaded.map((record) => record?.id)).toEqual(records.slice(10).map(({ id }) => id));
    });

    it("wait for 10 ms at the most", async () => {
      const { gate, saved, loads, records } = await underWay();
      jest.advanceTimersByTime(10);
      expect(lookups).toHaveBeenCalledTimes(1);
      isStanding = false;
      jest.useRealTimers();
      const loaded = await Promise.all(loads);
      expect(loaded.map((record) => record?.id)).toEqual(records.slice(10).map(({ id }) => id));
      gate.open();
      expect(await Promise.all(saved)).toEqual(saved.map(() => true));
    });
  });

  it("ask again for what Datastore deferred", async () => {
    const records = await stored(7);
    let calls = 0;
    /** Keeps back all but two of what was found, as Datastore may. */
    class Deferring extends DatastoreRpc {
      override async lookupAll(...args: Parameters<DatastoreRpc["lookupAll"]>) {
        calls += 1;
        const { found, missing } = await super.lookupAll(...args);
        return { found: found.slice(0, 2), missing, deferred: found.slice(2).map(({ entity }) => entity.key) };
      }
    }
    const rpc = new Deferring({ emulatorHost: emulatorHost(), namespace, databaseId: "", timeoutMs: 20_000 });
    const lookups = new DatastoreLookups(rpc, "session", 20_000);
    const ids = [...records.map(({ id }) => id), sessionRecord().id];
    const found = await Promise.all(ids.map((id) => lookups.find(id)));
    expect(found.map((result) => result?.entity.key.path[0]?.name)).toEqual([...ids.slice(0, 7), undefined]);
    expect(calls).toBe(4);
    await rpc.close();
  });

  it("fail alone where what is stored is of a newer format", async () => {
    const [good] = await stored(1);
    const newer = sessionRecord();
    const rpc = new DatastoreRpc({ emulatorHost: emulatorHost(), namespace, databaseId: "", timeoutMs: 20_000 });
    const properties = { ...liveProperties(newer), v: { integerValue: 2 } };
    await rpc.commit([{ insert: { key: rpc.key("session", newer.id), properties } }], "single");
    await rpc.close();
    const [loaded, refused] = await Promise.allSettled([store.load(good!.id), store.load(newer.id)]);
    expect(proxy.calls.Lookup).toBe(1);
    expect(loaded).toMatchObject({ status: "fulfilled", value: { id: good!.id } });
    expect(refused).toMatchObject({ status: "rejected", reason: { code: "SESSION_UNREADABLE" } });
  });

  it("are read by our own code and not by the client's, which returns numbers as strings", async () => {
    const [record] = await stored(1);
    const rpc = new DatastoreRpc({ emulatorHost: emulatorHost(), namespace, databaseId: "", timeoutMs: 20_000 });
    const { found } = await rpc.lookupAll([rpc.key("session", record!.id)]);
    expect(found[0]?.entity.properties.createdAt).toEqual({ integerValue: record!.createdAt });
    await rpc.close();
  });

  it.each([3, 20])("P7: are not held up by a lookup of %s that hangs", async (count) => {
    const records = await stored(count + 1);
    const gate = proxy.holdNext("after");
    const hanging = Promise.all(records.slice(1).map(({ id }) => store.load(id)));
    await gate.reached;
    // The other one's response comes only after this one's.
    expect((await store.load(records[0]!.id))?.data.n).toBe("0");
    gate.open();
    expect(await hanging).toHaveLength(count);
  });

  it("are done before it closes", async () => {
    const records = await stored(40);
    const loading = Promise.all(records.map(({ id }) => store.load(id)));
    await store.close();
    expect((await loading).map((record) => record?.id)).toEqual(records.map(({ id }) => id));
    await expect(store.load(records[0]!.id)).rejects.toMatchObject({ code: "SESSION_CLOSED" });
  });
});

describe("Loads from a Datastore that can't be reached", () => {
  it("P7: fail at once where too many wait, and are not sent after their time", async () => {
    const lines: Socket[] = [];
    const silent = createServer((line) => lines.push(line));
    await new Promise<void>((listening) => silent.listen(0, "127.0.0.1", listening));
    const { port } = silent.address() as AddressInfo;
    const store = new DatastoreStore({ emulatorHost: `127.0.0.1:${port}`, timeoutMs: 300 });
    const loads = Array.from({ length: MOST_WAITING }, () => store.load(sessionRecord().id));
    const answers = Promise.allSettled(loads);
    const oneMore = { code: "SESSION_STORE", status: 503, message: expect.stringMatching(/too slow.*10000 requests/) };
    await expect(store.load("a")).rejects.toMatchObject(oneMore);
    const errors = (await answers).map((answer) => (answer.status === "rejected" ? answer.reason : undefined));
    for (const error of errors) expect(error).toMatchObject({ code: "SESSION_STORE_TIMEOUT", status: 503 });
    // Eight calls for a thousand each were made.
    expect(errors.filter(({ message }) => /was not sent/.test(message)).length).toBeGreaterThanOrEqual(2_000);
    await store.close();
    for (const line of lines) line.destroy();
    silent.close();
  });

  it("P7: atomic changes too fail at once where too many wait", async () => {
    const store = new DatastoreStore({ emulatorHost: "127.0.0.1:1" });
    const change = () => ({ owner: "alice" });
    const answers = Promise.allSettled(Array.from({ length: MOST_WAITING }, () => store.mutate("a", change)));
    const oneMore = { code: "SESSION_STORE", status: 503, message: expect.stringMatching(/too slow.*10000 requests/) };
    await expect(store.mutate("a", change)).rejects.toMatchObject(oneMore);
    await store.close();
    expect((await answers).every(({ status }) => status === "rejected")).toBe(true);
  });

  it("P7: fail each with its own error", async () => {
    const store = new DatastoreStore({ emulatorHost: "127.0.0.1:1" });
    const loads = await Promise.allSettled(["a", "b", "b"].map((id) => store.load(id)));
    const errors = loads.map((load) => (load.status === "rejected" ? load.reason : undefined));
    for (const error of errors)
      expect(error).toMatchObject({ code: "SESSION_STORE", status: 503, cause: expect.anything() });
    expect(new Set(errors).size).toBe(3);
    await store.close();
  });
});
