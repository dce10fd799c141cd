import { DatastoreStore } from "../../../lib/stores/datastore/datastore-store";
import { describeOnEmulator, emulatorHost, freshNamespace } from "../../support/datastore-emulator";
import { GrpcProxy } from "../../support/grpc-proxy";
import { killed, sessionRecord } from "../../support/session-records";

const text = (bytes: number) => JSON.stringify("x".repeat(bytes));
const set = (n: number | string) => ({ data: { set: { n: JSON.stringify(n) } } });

describeOnEmulator("Updates of DatastoreStore at the same time", () => {
  let proxy: GrpcProxy;
  let store: DatastoreStore;
  let other: DatastoreStore;

  beforeEach(async () => {
    const namespace = freshNamespace();
    proxy = await new GrpcProxy(emulatorHost()).open();
    store = new DatastoreStore({ emulatorHost: proxy.address, namespace, timeoutMs: 20_000 });
    // As in another process, and not counted.
    other = new DatastoreStore({ emulatorHost: emulatorHost(), namespace, timeoutMs: 20_000 });
  });

  afterEach(async () => {
    await Promise.all([store.close(), other.close()]);
    await proxy.close();
  });

  const stored = async (count: number, fields: Parameters<typeof sessionRecord>[0] = {}) => {
    const ids: string[] = [];
    for (let begun = 0; begun < count; begun += 100) {
      const records = Array.from({ length: Math.min(100, count - begun) }, () => sessionRecord(fields));
      await Promise.all(records.map((record) => other.create(record)));
      ids.push(...records.map(({ id }) => id));
    }
    return ids;
  };

  const valuesOf = async (ids: readonly string[]) =>
    (await Promise.all(ids.map((id) => other.load(id)))).map((record) => record?.data.n);

  it("go in one commit", async () => {
    const ids = await stored(20);
    expect(await Promise.all(ids.map((id, n) => store.update(id, set(n))))).toEqual(ids.map(() => true));
    expect(proxy.calls.Commit).toBe(1);
    expect(await valuesOf(ids)).toEqual(ids.map((_, n) => String(n)));
  });

  it("P3: of one session are merged in order, and each caller gets its result", async () => {
    const [id, ...others] = await stored(3, { data: { kept: "1", removed: "1" }, counters: { n: 1 } });
    const answers = await Promise.all([
      store.update(id!, { data: { set: { a: "1", b: "1" } }, counters: { n: 2 }, lastSeenAt: 1 }),
      store.update(id!, { data: { set: { removed: "2" }, remove: ["a"] } }),
      ...others.map((one) => store.update(one, { counters: { n: 5 } })),
      store.update(id!, { data: { set: { a: "3" }, remove: ["removed", "b"] }, counters: { n: 3, m: 1 } }),
    ]);
    expect(answers).toEqual([true, true, true, true, true]);
    expect(proxy.calls.Commit).toBe(1);
    const record = await other.load(id!);
    expect({ ...record!.data }).toEqual({ kept: "1", a: "3" });
    expect({ ...record!.counters }).toEqual({ n: 6, m: 1 });
    expect(record!.lastSeenAt).toBe(1);
    expect((await other.load(others[0]!))?.counters.n).toBe(6);
  });

  it("P2: are false for the sessions that were killed between load and update, and bring none back", async () => {
    const ids = await stored(32);
    const loaded = await Promise.all(ids.map((id) => store.load(id)));
    expect(loaded.every(Boolean)).toBe(true);
    const dead = new Set([ids[3]!, ids[17]!, ids[31]!]);
    await Promise.all([...dead].map((id) => other.end(id, killed())));
    const answers = await Promise.all(ids.map((id, n) => store.update(id, set(n))));
    expect(answers).toEqual(ids.map((id) => !dead.has(id)));
    expect(await valuesOf(ids)).toEqual(ids.map((id, n) => (dead.has(id) ? undefined : String(n))));
    for (const id of dead) expect((await other.find({ state: "ended", id }).next()).value).toMatchObject({ id });
  });

  it("P2: are false for a session that is killed while their commit is under way", async () => {
    const ids = await stored(8);
    const gate = proxy.holdNext("before");
    const updating = Promise.all(ids.map((id, n) => store.update(id, set(n))));
    await gate.reached;
    expect(await other.end(ids[2]!, killed())).toBe(true);
    gate.open();
    expect(await updating).toEqual(ids.map((_, n) => n !== 2));
    expect(await valuesOf(ids)).toEqual(ids.map((_, n) => (n === 2 ? undefined : String(n))));
  });

  it("add to a counter once, also where a group is sent again in parts", async () => {
    const ids = await stored(20);
    await other.end(ids[7]!, killed());
    await Promise.all([...ids, ...ids].map((id) => store.update(id, { counters: { n: 1 } })));
    const counters = await Promise.all(ids.map(async (id) => (await other.load(id))?.counters.n));
    expect(counters).toEqual(ids.map((_, n) => (n === 7 ? undefined : 2)));
  });

  it("P7: all reject where the response is lost, are not sent again, and leave a later save alone", async () => {
    const ids = await stored(10);
    proxy.after = () => {
      proxy.after = undefined;
      return "cut";
    };
    const answers = await Promise.allSettled(ids.map((id) => store.update(id, { ...set("old"), counters: { n: 1 } })));
    for (const answer of answers) {
      expect(answer).toMatchObject({ status: "rejected", reason: { code: "SESSION_STORE", status: 503 } });
    }
    expect(await Promise.all(ids.map((id) => other.update(id, set("new"))))).toEqual(ids.map(() => true));
    // Whatever would be sent again comes before this.
    expect(await store.update(ids[0]!, { owner: "alice" })).toBe(true);
    await store.close();
    expect(proxy.calls.Commit).toBe(2);
    const records = await Promise.all(ids.map((id) => other.load(id)));
    expect(records.map((record) => record?.data.n)).toEqual(ids.map(() => '"new"'));
    expect(records.map((record) => record?.counters.n)).toEqual(ids.map(() => 1));
  });

  it("P7: all reject at the deadline, and are not sent again", async () => {
    const ids = await stored(10);
    const hasty = new DatastoreStore({ emulatorHost: proxy.address, timeoutMs: 300 });
    await hasty.load("a first call, which connects").catch(() => undefined);
    const gate = proxy.holdNext("before");
    const answers = Promise.allSettled(ids.map((id) => hasty.update(id, set("late"))));
    await gate.reached;
    for (const answer of await answers) {
      expect(answer).toMatchObject({ status: "rejected", reason: { code: "SESSION_STORE_TIMEOUT", status: 503 } });
    }
    gate.open();
    await hasty.close();
    expect(proxy.calls.Commit).toBe(1);
  });

  it("are seen by the next load, of the same process and of another", async () => {
    const ids = await stored(32);
    for (const round of [1, 2, 3]) {
      const seen = ids.map(async (id) => {
        await store.update(id, set(round));
        const [here, there] = await Promise.all([store.load(id), other.load(id)]);
        return [here?.data.n, there?.data.n];
      });
      expect(await Promise.all(seen)).toEqual(ids.map(() => [String(round), String(round)]));
    }
  });

  it("of one session wait for the one that is under way, and those of others do not", async () => {
    const [id, another] = await stored(2);
    const gate = proxy.holdNext("before");
    const answered: string[] = [];
    const first = store.update(id!, set("first")).then(() => answered.push("first"));
    await gate.reached;
    const later = [
      store.update(id!, set("second")).then(() => answered.push("second")),
      store.update(id!, set("third")).then(() => answered.push("third")),
    ];
    expect(await store.update(another!, set("another"))).toBe(true);
    expect(answered).toEqual([]);
    expect(proxy.calls.Commit).toBe(2);
    gate.open();
    await Promise.all([first, ...later]);
    expect(answered).toEqual(["first", "second", "third"]);
    expect(proxy.calls.Commit).toBe(3);
    expect(await valuesOf([id!])).toEqual(['"third"']);
  });

  it("P3: keep of each session the save that was asked for last, whatever is under way", async () => {
    const ids = await stored(12);
    const asked = Array.from({ length: 600 }, (_, n) => ids[(n * 7) % ids.length]!);
    const answers = asked.map(async (id, n) => {
      // In small groups, so that some come while others are under way.
      for (let turn = 0; turn < n / 10; turn += 1) await new Promise((later) => setImmediate(later));
      return store.update(id, { ...set(n), counters: { n: 1 } });
    });
    expect(await Promise.all(answers)).toEqual(asked.map(() => true));
    expect(await valuesOf(ids)).toEqual(ids.map((id) => String(asked.lastIndexOf(id))));
    const counters = await Promise.all(ids.map(async (id) => (await other.load(id))?.counters.n));
    expect(counters).toEqual(ids.map(() => 50));
  });

  it("P2: never bring a session back that is killed in the middle of them, and keep what they acknowledged", async () => {
    const ids = await stored(24);
    const acknowledged = new Map<string, number>();
    const afterDeath: boolean[] = [];
    const dead = new Set<string>();
    const write = async (id: string) => {
      for (let n = 0; n < 15; n += 1) {
        const wasDead = dead.has(id);
        const isWritten = await store.update(id, set(n));
        if (wasDead) afterDeath.push(isWritten);
        else if (isWritten) acknowledged.set(id, n);
      }
    };
    const kill = async (id: string) => {
      await other.end(id, killed());
      dead.add(id);
    };
    const victims = ids.filter((_, n) => n % 3 === 0);
    const killing = async () => {
      for (const id of victims) await kill(id);
    };
    await Promise.all([...ids.map(write), killing()]);
    for (const id of victims) afterDeath.push(await store.update(id, set("revived")));
    expect(afterDeath).not.toContain(true);
    expect(await valuesOf(ids)).toEqual(
      ids.map((id) => (victims.includes(id) ? undefined : String(acknowledged.get(id)))),
    );
  });

  it("go 500 at a time", async () => {
    const ids = await stored(600);
    expect(await Promise.all(ids.map((id, n) => store.update(id, set(n))))).toEqual(ids.map(() => true));
    expect(proxy.calls.Commit).toBe(2);
    expect(await valuesOf(ids)).toEqual(ids.map((_, n) => String(n)));
  });

  it("go 3 MiB at a time, those of one session too", async () => {
    const ids = await stored(5);
    let longest = 0;
    proxy.before = (_, bytes) => {
      longest = Math.max(longest, bytes);
      return undefined;
    };
    const answers = ids.map((id) => store.update(id, { data: { set: { a: text(700_000) } } }));
    // Together with the first it is more than an entity can have.
    answers.push(store.update(ids[0]!, { data: { set: { a: text(600_000) } } }));
    expect(await Promise.all(answers)).toEqual(answers.map(() => true));
    expect(proxy.calls.Commit).toBeGreaterThanOrEqual(2);
    expect(longest).toBeLessThan(3.1 * 2 ** 20);
    const sizes = await Promise.all(ids.map(async (id) => (await other.load(id))?.data.a?.length));
    expect(sizes).toEqual([600_002, 700_002, 700_002, 700_002, 700_002]);
  });

  it("fail alone where a change can't be stored at all", async () => {
    const ids = await stored(3);
    const [first, large, long, second] = await Promise.allSettled([
      store.update(ids[0]!, set(1)),
      store.update(ids[1]!, { data: { set: { n: text(1_100_000) } } }),
      store.update(ids[1]!, { data: { set: { ["k".repeat(1_500)]: "1" } } }),
      store.update(ids[2]!, set(2)),
    ]);
    expect([first, second]).toMatchObject([{ value: true }, { value: true }]);
    expect(large).toMatchObject({ reason: { code: "SESSION_TOO_LARGE" } });
    expect(long).toMatchObject({ reason: { code: "SESSION_ARGUMENT" } });
    expect(await valuesOf(ids)).toEqual(["1", undefined, "2"]);
  });

  it("fail alone where a session would become too large", async () => {
    const ids = await stored(4, { data: { a: text(400_000) } });
    const more = (key: string) => ({ data: { set: { [key]: text(400_000) } } });
    const [first, fits, tooLarge, fitsToo, last] = await Promise.allSettled([
      store.update(ids[0]!, set(1)),
      store.update(ids[1]!, more("b")),
      store.update(ids[1]!, more("c")),
      store.update(ids[1]!, { counters: { n: 1 } }),
      store.update(ids[2]!, set(2)),
    ]);
    expect([first, fits, fitsToo, last]).toMatchObject(Array(4).fill({ status: "fulfilled", value: true }));
    expect(tooLarge).toMatchObject({ status: "rejected", reason: { code: "SESSION_TOO_LARGE" } });
    const record = await other.load(ids[1]!);
    expect(Object.keys(record!.data).sort()).toEqual(["a", "b"]);
    expect(record!.counters.n).toBe(1);
  });

  it("fail at once where too much waits", async () => {
    const ids = await stored(1);
    const change = { data: { set: { a: text(700_000) } } };
    const updates = Array.from({ length: 95 }, () => store.update(ids[0]!, change));
    await expect(store.update(ids[0]!, change)).rejects.toMatchObject({
      code: "SESSION_STORE",
      status: 503,
      message: expect.stringMatching(/too slow.*95 requests/),
    });
    expect(await Promise.all(updates)).toEqual(updates.map(() => true));
  });

  it("are written before it closes", async () => {
    const ids = await stored(40);
    const gate = proxy.holdNext("before");
    const updates = [...ids, ...ids].map((id, n) => store.update(id, set(n)));
    await gate.reached;
    updates.push(...ids.map((id) => store.update(id, set("last"))));
    const closing = store.close();
    await expect(store.update(ids[0]!, set("too late"))).rejects.toMatchObject({ code: "SESSION_CLOSED" });
    gate.open();
    await closing;
    expect(await Promise.all(updates)).toEqual(updates.map(() => true));
    expect(await valuesOf(ids)).toEqual(ids.map(() => '"last"'));
  });
});
