import { AsyncLocalStorage } from "node:async_hooks";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { SessionDelta } from "../../lib/record/session-delta";
import type { SessionRecord } from "../../lib/record/session-record";
import { LmdbFolder } from "../../lib/stores/lmdb-folder";
import { LmdbStore } from "../../lib/stores/lmdb-store";
import { indexFaults } from "../support/lmdb-index-check";
import { killed, sessionRecord } from "../support/session-records";

let path: string;

beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), "coatcheck-shared-"));
});

afterEach(() => rmSync(path, { recursive: true }));

it("may be opened twice in one process: both see all, and closing one leaves the other as it was", async () => {
  const [first, second] = [new LmdbStore({ path }), new LmdbStore({ path })];
  const records = [sessionRecord(), sessionRecord()];
  await first.create(records[0]!);
  await second.create(records[1]!);
  expect(await Promise.all([first.end(records[0]!.id, killed()), second.end(records[0]!.id, killed())])).toContain(
    false,
  );
  await first.close();
  expect(() => first.load(records[1]!.id)).toThrow(expect.objectContaining({ code: "SESSION_CLOSED" }));
  expect(second.load(records[1]!.id)).toEqual(records[1]);
  expect(await second.update(records[1]!.id, { owner: "alice" })).toBe(true);
  await second.close();
  const third = new LmdbStore({ path });
  expect(third.load(records[1]!.id)!.owner).toBe("alice");
  await third.close();
});

it("P1: a load answers what another store has written since the load before it", async () => {
  const [first, second] = [new LmdbStore({ path }), new LmdbStore({ path })];
  const record = sessionRecord({ data: { a: "0" } });
  await first.create(record);
  for (let n = 1; n <= 20; n += 1) {
    const [writer, reader] = n % 3 === 0 ? [first, second] : [second, first];
    expect(reader.load(record.id)!.data.a).toBe(String(n - 1));
    expect(await writer.update(record.id, { data: { set: { a: String(n) } } })).toBe(true);
    expect(reader.load(record.id)!.data.a).toBe(String(n));
    expect(writer.load(record.id)!.data.a).toBe(String(n));
  }
  expect(await second.end(record.id, killed())).toBe(true);
  expect(first.load(record.id)).toBeUndefined();
  await first.close();
  await second.close();
});

it("P2: what an update that came to nothing would have stored is not what is loaded", async () => {
  const [first, second] = [new LmdbStore({ path }), new LmdbStore({ path })];
  const record = sessionRecord({ data: { a: "0" } });
  await first.create(record);
  const ended = second.end(record.id, killed());
  const updates = Array.from({ length: 5 }, (_, n) => first.update(record.id, { data: { set: { a: String(n) } } }));
  const [wasEnded] = await Promise.all([ended, ...updates]);
  expect(wasEnded).toBe(true);
  expect(first.load(record.id)).toBeUndefined();
  await first.create(record);
  expect(first.load(record.id)!.data.a).toBe("0");
  await first.close();
  await second.close();
});

it("P3: two stores that change one session at the same time lose no step, not even while they are closed", async () => {
  const [first, second] = [new LmdbStore({ path }), new LmdbStore({ path })];
  const record = sessionRecord();
  await first.create(record);
  const steps = Array.from({ length: 50 }, () =>
    [first, second].map((store) => store.update(record.id, { counters: { n: 1 } })),
  ).flat();
  await Promise.all([first.close(), second.close()]);
  expect(await Promise.all(steps)).toEqual(steps.map(() => true));
  const third = new LmdbStore({ path });
  expect(third.load(record.id)!.counters.n).toBe(100);
  await third.close();
});

it("P3: a decision not to change, made on an update under way, holds for what is stored in the end", async () => {
  const [first, second] = [new LmdbStore({ path }), new LmdbStore({ path })];
  const record = sessionRecord();
  await first.create(record);
  const ended = second.end(record.id, killed());
  const doomed = first.update(record.id, { data: { set: { a: "1" } } });
  const unchanged = first.mutate(record.id, ({ data }) => (data.a === "1" ? undefined : { owner: "eve" }));
  const [wasEnded, updated, answer] = await Promise.all([ended, doomed, unchanged]);
  expect(wasEnded).toBe(true);
  expect(updated).toBe(answer !== undefined);
  await first.close();
  await second.close();
});

it("P3: updates that keep coming in one store do not starve after another store came between", async () => {
  const [first, second] = [new LmdbStore({ path }), new LmdbStore({ path })];
  const record = sessionRecord();
  await first.create(record);
  const updates: Promise<boolean>[] = [];
  for (let turn = 0; turn < 4000; turn += 1) {
    updates.push((turn % 200 === 199 ? second : first).update(record.id, { counters: { n: 1 } }));
    await nextTurn();
  }
  expect(await Promise.all(updates)).toEqual(updates.map(() => true));
  expect(first.load(record.id)!.counters.n).toBe(4000);
  await first.close();
  await second.close();
});

it("P2: a replace refuses an id that is live already, and ends nothing", async () => {
  const store = new LmdbStore({ path });
  const [old, other] = [sessionRecord(), sessionRecord({ owner: "bob" })];
  await store.create(old);
  await store.create(other);
  await expect(store.replace(old.id, killed(), sessionRecord({ id: other.id }))).rejects.toMatchObject({
    code: "SESSION_EXISTS",
    message: expect.stringContaining(other.id),
  });
  expect(store.load(old.id)).toEqual(old);
  expect(store.load(other.id)).toEqual(other);
  for await (const ended of store.find({ state: "ended" })) throw new Error(`${ended.id} was ended`);
  await store.close();
});

describe("P3: where another store comes before each attempt", () => {
  let stores: [LmdbStore, LmdbStore];
  let record: SessionRecord;
  let overtaken: number;
  let isOvertaking: boolean;

  beforeEach(async () => {
    stores = [new LmdbStore({ path }), new LmdbStore({ path })];
    record = sessionRecord({ owner: "alice" });
    await stores[0].create(record);
    overtaken = 0;
    isOvertaking = false;
    overtake(LmdbFolder.prototype, "committed");
  });

  afterEach(async () => {
    jest.restoreAllMocks();
    for (const store of stores) await store.close();
  });

  /** Between the moment in which the second store looks at what is stored and its write, the first one changes that. */
  function overtake<Name extends string>(prototype: Record<Name, (...args: any[]) => unknown>, name: Name): void {
    const method = prototype[name];
    jest.spyOn(prototype, name as never).mockImplementation(async function (this: unknown, ...args: unknown[]) {
      if (!isOvertaking) {
        isOvertaking = true;
        overtaken += 1;
        await stores[0].update(record.id, { counters: { others: 1 } });
        isOvertaking = false;
      }
      return method.apply(this, args);
    } as never);
  }

  it.each<[string, (store: LmdbStore) => Promise<unknown>]>([
    ["an update", (store) => store.update(record.id, { counters: { n: 1 } })],
    ["a mutate", (store) => store.mutate(record.id, () => ({ counters: { n: 1 } }))],
  ])("%s is made in the end, and undoes nothing", async (_name, write) => {
    expect(await write(stores[1])).toBeTruthy();
    // Eight attempts, and the transaction, which reads what was written before it.
    expect(overtaken).toBe(9);
    expect(stores[0].load(record.id)!.counters).toEqual({ n: 1, others: 9 });
    expect(await indexFaults(path)).toEqual([]);
  });

  it.each<[string, (store: LmdbStore) => Promise<unknown>]>([
    ["an end", (store) => store.end(record.id, killed())],
    ["a replace", (store) => store.replace(record.id, killed(), sessionRecord())],
  ])("%s ends it", async (_name, write) => {
    expect(await write(stores[1])).toBe(true);
    expect(overtaken).toBe(9);
    expect(stores[0].load(record.id)).toBeUndefined();
    expect(await indexFaults(path)).toEqual([]);
  });

  it("what the change of a mutate throws is rejected with, and nothing is written", async () => {
    let calls = 0;
    const change = (): SessionDelta => {
      calls += 1;
      if (calls <= 8) return { owner: "eve" };
      throw new Error("refused");
    };
    await expect(stores[1].mutate(record.id, change)).rejects.toThrow("refused");
    expect(stores[0].load(record.id)).toMatchObject({ owner: "alice", counters: { others: 9 } });
  });

  it("the change of a mutate is called in its caller's context", async () => {
    const context = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const change = () => {
      seen.push(context.getStore());
      return { counters: { n: 1 } };
    };
    await context.run("caller", () => stores[1].mutate(record.id, change));
    expect(seen).toEqual(Array.from({ length: 9 }, () => "caller"));
  });
});
