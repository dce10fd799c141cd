import { setTimeout as sleep } from "node:timers/promises";
import type { SessionRecord } from "../../../lib/record/session-record";
import { DatastoreStore } from "../../../lib/stores/datastore/datastore-store";
import { describeOnEmulator, emulatorHost, freshNamespace } from "../../support/datastore-emulator";
import { closedGate } from "../../support/gate";
import { GrpcProxy } from "../../support/grpc-proxy";
import { killed, sessionRecord } from "../../support/session-records";

const addOne = ({ data }: SessionRecord) => ({ data: { set: { n: String(Number(data.n ?? 0) + 1) } } });

describeOnEmulator("Atomic changes of one session in DatastoreStore", () => {
  let namespace: string;
  let proxy: GrpcProxy;
  let other: DatastoreStore;
  let record: SessionRecord;
  const open: DatastoreStore[] = [];

  /** Its calls are counted, and can be held back. */
  const storeWith = async (timeoutMs: number) => {
    const store = new DatastoreStore({ emulatorHost: proxy.address, namespace, timeoutMs });
    open.push(store);
    // A first call, which connects.
    await store.load(record.id).catch(() => undefined);
    for (const name of Object.keys(proxy.calls)) proxy.calls[name] = 0;
    return store;
  };

  /** The next commit is held back before it reaches Datastore, until the gate opens. */
  const holdNextCommit = () => {
    const gate = closedGate();
    proxy.before = (call) => {
      if (call !== "Commit") return undefined;
      proxy.before = undefined;
      return gate.pass();
    };
    return gate;
  };

  beforeEach(async () => {
    namespace = freshNamespace();
    proxy = await new GrpcProxy(emulatorHost()).open();
    other = new DatastoreStore({ emulatorHost: emulatorHost(), namespace, timeoutMs: 20_000 });
    open.push(other);
    record = sessionRecord({ data: { n: "0" } });
    await other.create(record);
  });

  afterEach(async () => {
    await Promise.all(open.splice(0).map((store) => store.close()));
    await proxy.close();
  });

  it("P3: take turns within a process: 30 at the same time are 30 commits, and none is tried again", async () => {
    const store = await storeWith(60_000);
    let changes = 0;
    const counted = (current: SessionRecord) => {
      changes += 1;
      return addOne(current);
    };
    const answers = await Promise.all(Array.from({ length: 30 }, () => store.mutate(record.id, counted)));
    expect(answers.map((answer) => answer?.data.n)).toEqual(Array.from({ length: 30 }, (_, n) => String(n + 1)));
    expect(proxy.calls.Commit).toBe(30);
    expect(changes).toBe(30);
    expect((await other.load(record.id))?.data.n).toBe("30");
  });

  it("P3: go on after one that throws, and after one whose response is lost", async () => {
    const store = await storeWith(20_000);
    proxy.after = (call) => {
      if (call !== "Commit") return undefined;
      proxy.after = undefined;
      return "cut";
    };
    const refuse = () => {
      throw new RangeError("not this one");
    };
    const answers = await Promise.allSettled([
      store.mutate(record.id, addOne),
      store.mutate(record.id, refuse),
      store.mutate(record.id, addOne),
    ]);
    expect(answers).toMatchObject([
      { status: "rejected", reason: { code: "SESSION_STORE" } },
      { status: "rejected", reason: expect.any(RangeError) },
      // The first one was stored, although its response was lost.
      { status: "fulfilled", value: { data: { n: "2" } } },
    ]);
    expect(proxy.calls.Commit).toBe(2);
  });

  it("P7: are not sent where their turn comes after their time, and the next one is", async () => {
    const store = await storeWith(3_000);
    const gate = holdNextCommit();
    const late = Promise.allSettled(Array.from({ length: 3 }, () => store.mutate(record.id, addOne)));
    await gate.reached;
    for (const answer of await late) {
      expect(answer).toMatchObject({ status: "rejected", reason: { code: "SESSION_STORE_TIMEOUT", status: 503 } });
    }
    expect(proxy.calls.Commit).toBe(1);
    const next = await store.mutate(record.id, () => ({ data: { set: { later: "1" } } }));
    expect(next?.data.later).toBe("1");
    expect(proxy.calls.Commit).toBe(2);
    gate.open();
  });

  it.each([
    ["a mutate", (store: DatastoreStore) => store.mutate(record.id, addOne)],
    ["an end", (store: DatastoreStore) => store.end(record.id, killed())],
    ["a replace", (store: DatastoreStore) => store.replace(record.id, killed(), sessionRecord())],
  ])("P7: where reading took the time of %s, it is told so, and nothing is written", async (_, write) => {
    const store = await storeWith(1_000);
    let reads = 0;
    // As with a bad connection: the read is tried again, each time with its own deadline.
    proxy.after = async (call) => {
      if (call !== "Lookup") return undefined;
      reads += 1;
      const isFirst = reads === 1;
      await sleep(700);
      return isFirst ? "cut" : undefined;
    };
    await expect(write(store)).rejects.toMatchObject({ code: "SESSION_STORE_TIMEOUT", status: 503 });
    expect(proxy.calls.Commit ?? 0).toBe(0);
    expect((await other.load(record.id))?.data.n).toBe("0");
  });
});
