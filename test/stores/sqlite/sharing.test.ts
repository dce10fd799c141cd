import { AsyncLocalStorage } from "node:async_hooks";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { SessionDelta } from "../../../lib/record/session-delta";
import type { SessionRecord } from "../../../lib/record/session-record";
import { SqliteStore } from "../../../lib/stores/sqlite/sqlite-store";
import { killed, sessionRecord } from "../../support/session-records";
import { faultsOf } from "../../support/sqlite-checks";

let path: string;

beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), "coatcheck-shared-"));
});

afterEach(() => rmSync(path, { recursive: true }));

it("may be opened twice in one process: both see all, and closing one leaves the other as it was", async () => {
  const [first, second] = [new SqliteStore({ path }), new SqliteStore({ path })];
  const records = [sessionRecord(), sessionRecord()];
  await first.create(records[0]!);
  await second.create(records[1]!);
  expect(await Promise.all([first.end(records[0]!.id, killed()), second.end(records[0]!.id, killed())])).toContain(
    false,
  );
  await first.close();
  await expect(async () => first.load(records[1]!.id)).rejects.toMatchObject({ code: "SESSION_CLOSED" });
  expect(await second.load(records[1]!.id)).toEqual(records[1]);
  expect(await second.update(records[1]!.id, { owner: "alice" })).toBe(true);
  await second.close();
  const third = new SqliteStore({ path });
  expect((await third.load(records[1]!.id))!.owner).toBe("alice");
  await third.close();
});

it("P1: a load returns what another store has written since the previous load", async () => {
  const [first, second] = [new SqliteStore({ path }), new SqliteStore({ path })];
  const record = sessionRecord({ data: { a: "0" } });
  await first.create(record);
  for (let n = 1; n <= 20; n += 1) {
    const [writer, reader] = n % 3 === 0 ? [first, second] : [second, first];
    expect((await reader.load(record.id))!.data.a).toBe(String(n - 1));
    expect(await writer.update(record.id, { data: { set: { a: String(n) } } })).toBe(true);
    expect((await reader.load(record.id))!.data.a).toBe(String(n));
    expect((await writer.load(record.id))!.data.a).toBe(String(n));
  }
  expect(await second.end(record.id, killed())).toBe(true);
  expect(await first.load(record.id)).toBeUndefined();
  await first.close();
  await second.close();
});

it("P2: a load doesn't return what a failed update would have stored", async () => {
  const [first, second] = [new SqliteStore({ path }), new SqliteStore({ path })];
  const record = sessionRecord({ data: { a: "0" } });
  await first.create(record);
  const ended = second.end(record.id, killed());
  const updates = Array.from({ length: 5 }, (_, n) => first.update(record.id, { data: { set: { a: String(n) } } }));
  const [wasEnded] = await Promise.all([ended, ...updates]);
  expect(wasEnded).toBe(true);
  expect(await first.load(record.id)).toBeUndefined();
  await first.create(record);
  expect((await first.load(record.id))!.data.a).toBe("0");
  await first.close();
  await second.close();
});

it("P3: two stores that change one session at the same time lose no step, not even while they are closed", async () => {
  const [first, second] = [new SqliteStore({ path }), new SqliteStore({ path })];
  const record = sessionRecord();
  await first.create(record);
  const steps = Array.from({ length: 50 }, () =>
    [first, second].map((store) => store.update(record.id, { counters: { n: 1 } })),
  ).flat();
  await Promise.all([first.close(), second.close()]);
  expect(await Promise.all(steps)).toEqual(steps.map(() => true));
  const third = new SqliteStore({ path });
  expect((await third.load(record.id))!.counters.n).toBe(100);
  await third.close();
});

it("P3: a decision not to change, made on an update under way, holds for what is stored in the end", async () => {
  const [first, second] = [new SqliteStore({ path }), new SqliteStore({ path })];
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
  const [first, second] = [new SqliteStore({ path }), new SqliteStore({ path })];
  const record = sessionRecord();
  await first.create(record);
  const updates: Promise<boolean>[] = [];
  for (let turn = 0; turn < 4000; turn += 1) {
    updates.push((turn % 200 === 199 ? second : first).update(record.id, { counters: { n: 1 } }));
    await nextTurn();
  }
  expect(await Promise.all(updates)).toEqual(updates.map(() => true));
  expect((await first.load(record.id))!.counters.n).toBe(4000);
  await first.close();
  await second.close();
});

it("P2: a replace refuses an id that is live already, and ends nothing", async () => {
  const store = new SqliteStore({ path });
  const [old, other] = [sessionRecord(), sessionRecord({ owner: "bob" })];
  await store.create(old);
  await store.create(other);
  await expect(store.replace(old.id, killed(), sessionRecord({ id: other.id }))).rejects.toMatchObject({
    code: "SESSION_EXISTS",
    message: expect.stringContaining(other.id),
  });
  expect(await store.load(old.id)).toEqual(old);
  expect(await store.load(other.id)).toEqual(other);
  for await (const ended of store.find({ state: "ended" })) throw new Error(`${ended.id} was ended`);
  await store.close();
});

describe("a mutate", () => {
  let store: SqliteStore;
  let record: SessionRecord;

  beforeEach(async () => {
    store = new SqliteStore({ path });
    record = sessionRecord({ owner: "alice" });
    await store.create(record);
  });

  afterEach(() => store.close());

  it("sees what another store has written just before it", async () => {
    const other = new SqliteStore({ path });
    expect((await store.load(record.id))!.counters).toEqual({});
    const [, seen] = await Promise.all([
      other.update(record.id, { counters: { n: 1 } }),
      store.mutate(record.id, ({ counters }) => ({ data: { set: { seen: String(counters.n) } } })),
    ]);
    expect(seen!.data.seen).toBe("1");
    expect((await other.load(record.id))!.data.seen).toBe("1");
    await other.close();
  });

  it("P3: whose change throws rejects alone: the writes beside it are done, each once", async () => {
    const [ended, created] = [sessionRecord(), sessionRecord({ owner: "bob" })];
    await store.create(ended);
    const refusing = (): SessionDelta => {
      throw new Error("refused");
    };
    const outcomes = await Promise.allSettled([
      store.update(record.id, { counters: { n: 1 } }),
      store.create(created),
      store.mutate(record.id, refusing),
      store.mutate(record.id, ({ counters }) => ({ data: { set: { seen: String(counters.n) } }, counters: { n: 1 } })),
      store.create(record),
      store.end(ended.id, killed()),
      store.update(ended.id, { owner: "eve" }),
      store.update(record.id, { counters: { n: 1 } }),
    ]);
    expect(outcomes).toMatchObject([
      { value: true },
      { status: "fulfilled" },
      { reason: { message: "refused" } },
      { value: { data: { seen: "1" } } },
      { reason: { code: "SESSION_EXISTS" } },
      { value: true },
      { value: false },
      { value: true },
    ]);
    for (const each of [store, new SqliteStore({ path })]) {
      expect(await each.load(record.id)).toMatchObject({ owner: "alice", data: { seen: "1" }, counters: { n: 3 } });
      expect(await each.load(created.id)).toEqual(created);
      expect(await each.load(ended.id)).toBeUndefined();
      if (each !== store) await each.close();
    }
    expect(faultsOf(path)).toEqual([]);
  });

  it("leaves nothing in memory when it is rolled back", async () => {
    const loaded = await store.load(record.id);
    let calls = 0;
    const refusing = (from: number) => (): SessionDelta => {
      calls += 1;
      if (calls >= from) throw new Error("refused");
      return { owner: "eve", counters: { n: 1 } };
    };
    // No time passes, so that both share a transaction on a busy machine, too.
    const clock = jest.spyOn(performance, "now").mockReturnValue(0);
    // The first one succeeds in the transaction of both, and fails in its own.
    const both = [store.mutate(record.id, refusing(2)), store.mutate(record.id, refusing(2))];
    expect(await Promise.allSettled(both)).toMatchObject([{ status: "rejected" }, { status: "rejected" }]);
    clock.mockRestore();
    expect(calls).toBe(4);
    expect(loaded).toEqual(record);
    expect(await store.load(record.id)).toEqual(record);
    expect(await store.update(record.id, { counters: { m: 1 } })).toBe(true);
    expect(await store.load(record.id)).toMatchObject({ owner: "alice", counters: { m: 1 } });
  });

  it("calls its change in its caller's context, each time", async () => {
    const context = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const change = (fails: boolean) => (): SessionDelta => {
      seen.push(context.getStore());
      if (fails) throw new Error("refused");
      return { counters: { n: 1 } };
    };
    await Promise.allSettled([
      context.run("first", () => store.mutate(record.id, change(false))),
      context.run("second", () => store.mutate(record.id, change(true))),
    ]);
    // All in one transaction, and, as that failed, each in one of its own.
    expect(seen).toEqual(["first", "second", "first", "second"]);
  });
});
