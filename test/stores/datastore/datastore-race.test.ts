import type { SessionRecord } from "../../../lib/record/session-record";
import { clearDatastore } from "../../../lib/stores/datastore/datastore-queries";
import { DatastoreRpc } from "../../../lib/stores/datastore/calls/datastore-rpc";
import { DatastoreStore } from "../../../lib/stores/datastore/datastore-store";
import type { SessionStore } from "../../../lib/stores/store";
import { describeOnEmulator, emulatorHost, freshNamespace } from "../../support/datastore-emulator";
import { killed, sessionRecord } from "../../support/session-records";

const HOUR = 3_600_000;

describeOnEmulator("DatastoreStore among parallel callers", () => {
  let namespace: string;
  let store: DatastoreStore;
  let other: DatastoreStore;

  beforeEach(() => {
    namespace = freshNamespace();
    // Two of them, as in two processes; the machine that runs the tests may be slow.
    store = new DatastoreStore({ emulatorHost: emulatorHost(), namespace, timeoutMs: 20_000 });
    other = new DatastoreStore({ emulatorHost: emulatorHost(), namespace, timeoutMs: 20_000 });
  });

  afterEach(() => Promise.all([store.close(), other.close()]));

  const both = (count: number, work: (store: SessionStore, index: number) => Promise<unknown>) =>
    Promise.all(Array.from({ length: count }, (_, index) => work(index % 2 === 0 ? store : other, index)));

  it("P3: loses no step of 32 parallel read-modify-writes from two processes", async () => {
    const record = sessionRecord({ data: { n: "0" }, counters: { n: 0 } });
    await store.create(record);
    const addOne = ({ data }: SessionRecord) => ({
      data: { set: { n: String(Number(data.n) + 1) } },
      counters: { n: 1 },
    });
    await both(32, (one) => one.mutate(record.id, addOne));
    const after = await store.load(record.id);
    expect([after?.data.n, after?.counters.n]).toEqual(["32", 32]);
  });

  it("P2: ends a session for exactly one of 20 callers", async () => {
    const record = sessionRecord();
    await store.create(record);
    const answers = await both(20, (one) => one.end(record.id, killed()));
    expect(answers.filter(Boolean)).toHaveLength(1);
  });

  it("P2: ends a session that never stops changing", async () => {
    const record = sessionRecord();
    await store.create(record);
    let ended = false;
    const answers: boolean[] = [];
    const write = async () => {
      while (!ended) answers.push(await other.update(record.id, { counters: { n: 1 } }));
    };
    const writers = Promise.all(Array.from({ length: 8 }, write));
    expect(await store.end(record.id, killed())).toBe(true);
    ended = true;
    await writers;
    expect(answers.at(-1)).toBe(false);
    expect(await store.load(record.id)).toBeUndefined();
  });

  it("P2: a replace that is late does nothing at all", async () => {
    const record = sessionRecord();
    await store.create(record);
    const successors = Array.from({ length: 10 }, () => sessionRecord());
    const answers = await both(11, (one, index) => {
      const successor = successors[index];
      return successor === undefined
        ? one.end(record.id, killed())
        : one.replace(record.id, { ...killed(), reason: "login" }, successor);
    });
    expect(answers.filter(Boolean)).toHaveLength(1);
    const loaded = await Promise.all(successors.map((successor) => store.load(successor.id)));
    expect(loaded.map(Boolean)).toEqual(answers.slice(0, 10));
  });

  it("replaces nothing where the new id is stored already", async () => {
    const [old, taken] = [sessionRecord(), sessionRecord({ owner: "alice" })];
    await Promise.all([store.create(old), store.create(taken)]);
    await expect(store.replace(old.id, killed(), { ...taken, owner: "eve" })).rejects.toMatchObject({
      code: "SESSION_EXISTS",
    });
    expect((await store.load(old.id))?.id).toBe(old.id);
    expect((await store.load(taken.id))?.owner).toBe("alice");
    expect(await store.find({ state: "ended" }).next()).toEqual({ done: true, value: undefined });
  });

  it("P2: keeps an ended session's owner as it was when it ended", async () => {
    const record = sessionRecord();
    await store.create(record);
    const [ended, renamed] = await Promise.all([
      store.end(record.id, killed()),
      other.mutate(record.id, () => ({ owner: "alice" })),
    ]);
    expect(ended).toBe(true);
    const found = await store.find({ state: "ended", id: record.id }).next();
    expect(found.value?.owner).toBe(renamed === undefined ? record.owner : "alice");
  });

  it("P8: clears the others of a group where one was renewed meanwhile", async () => {
    const now = Date.now();
    const shard = (index: number) => `A${index}`;
    const records = Array.from({ length: 9 }, (_, index) => sessionRecord({ id: shard(index), purgeAt: now - HOUR }));
    await Promise.all(records.map((record) => store.create(record)));
    let renewed = 0;
    class Interrupted extends DatastoreRpc {
      override async commit(...args: Parameters<DatastoreRpc["commit"]>) {
        if (renewed++ === 0) await store.update(shard(4), { expiresAt: now + HOUR, purgeAt: now + 2 * HOUR });
        return super.commit(...args);
      }
    }
    const rpc = new Interrupted({ emulatorHost: emulatorHost(), namespace, databaseId: "", timeoutMs: 20_000 });
    expect(await clearDatastore(rpc, ["session"], now)).toBe(8);
    await rpc.close();
    const left: string[] = [];
    for await (const record of store.find({ state: "live" })) left.push(record.id);
    expect(left).toEqual([shard(4)]);
  });

  it("P8: clears records of every shard, more than fit in one commit", async () => {
    const now = Date.now();
    const id = (index: number) => (index < 64 ? "" : "B") + sessionRecord().id;
    const records = Array.from({ length: 700 }, (_, index) => sessionRecord({ id: id(index), purgeAt: now - HOUR }));
    for (let start = 0; start < records.length; start += 50) {
      await both(50, (one, index) => one.create(records[start + index]!));
    }
    const progress: number[] = [];
    expect(await store.clear(now, (cleared) => progress.push(cleared))).toBe(700);
    expect(progress.at(-1)).toBe(700);
    expect(await store.find({ state: "live" }).next()).toEqual({ done: true, value: undefined });
  });
});
