import { strict as assert } from "node:assert";
import { AsyncLocalStorage } from "node:async_hooks";
import { createHash, randomUUID } from "node:crypto";
import { dictionary } from "../record/dictionary";
import { CLEAR_GRACE_MS } from "../record/expiry";
import { BYTES_SENT, GUEST_USER } from "../record/session-record";
import type { EndedRecord, Ending, SessionRecord } from "../record/session-record";
import type { FindQuery, SessionStore } from "../stores/store";

/** What the suite asks of the test runner; jest, vitest and node:test have both. */
export interface TestRunner {
  readonly describe: (name: string, body: () => void) => void;
  readonly it: (name: string, body: () => Promise<void>) => void;
}

/** A store to test: empty, with the clock given, and whatever releases it afterwards. */
export interface StoreUnderTest {
  readonly store: SessionStore;
  readonly dispose?: () => Promise<void>;
}

/** Makes an empty store that reads the time (milliseconds since the epoch) from `now`. */
export type MakeStore = (now: () => number) => StoreUnderTest | Promise<StoreUnderTest>;

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/**
 * The tests that every store passes; each makes a store of its own.
 *
 * ```ts
 * import { storeContract } from "coatcheck/testing";
 * storeContract((now) => ({ store: new MyStore({ now }) }), { describe, it });
 * ```
 */
export function storeContract(makeStore: MakeStore, { describe, it }: TestRunner): void {
  const withStore =
    (body: (store: SessionStore, clock: { now: number }) => Promise<void>): (() => Promise<void>) =>
    async () => {
      const clock = { now: Date.now() };
      const { store, dispose } = await makeStore(() => clock.now);
      try {
        await body(store, clock);
      } finally {
        await store.close();
        await dispose?.();
      }
    };

  describe("create and load", () => {
    it(
      "gives back what was created, field by field",
      withStore(async (store) => {
        const record = fullRecord();
        await store.create(record);
        assert.deepEqual(plain(await store.load(record.id)), plain(record));
      }),
    );

    it(
      "answers undefined for an id that was never stored",
      withStore(async (store) => assert.equal(await store.load(idOf("nobody")), undefined)),
    );

    it(
      "P2: refuses to create over a live record, and leaves that as it was",
      withStore(async (store) => {
        const record = liveRecord({ data: { a: "1" } });
        await store.create(record);
        await assert.rejects(store.create({ ...record, data: map({ a: "2" }) }), { code: "SESSION_EXISTS" });
        assert.equal((await loaded(store, record.id)).data.a, "1");
      }),
    );

    it(
      "keeps limits that never come",
      withStore(async (store) => {
        const endless = { idleMs: Infinity, endsAt: Infinity, expiresAt: Infinity, purgeAt: Infinity };
        const record = liveRecord(endless);
        await store.create(record);
        const { idleMs, endsAt, expiresAt, purgeAt } = await loaded(store, record.id);
        assert.deepEqual({ idleMs, endsAt, expiresAt, purgeAt }, endless);
      }),
    );

    it(
      "P9: takes any key, and touches no prototype",
      withStore(async (store) => {
        const keys = [
          "__proto__",
          "constructor",
          "toString",
          "",
          "__x__",
          "a.b",
          "`",
          "\\",
          "🍵",
          "\u0000",
          "é".repeat(512),
        ];
        const data = dictionary<string>();
        for (const [index, key] of keys.entries()) data[key] = String(index);
        const record = liveRecord({ data });
        await store.create(record);
        const { data: stored } = await loaded(store, record.id);
        assert.deepEqual(Object.keys(stored).sort(), [...keys].sort());
        for (const [index, key] of keys.entries()) assert.equal(stored[key], String(index));
        await store.update(record.id, {
          data: { set: map({ "": '"changed"', __x__: '"changed"' }), remove: ["\\", "🍵"] },
        });
        const changed = (await loaded(store, record.id)).data;
        assert.equal(changed[""], '"changed"');
        assert.equal(changed.__x__, '"changed"');
        assert.equal("🍵" in changed || "\\" in changed, false);
        assert.equal(Object.keys(changed).length, keys.length - 2);
        assert.equal(({} as Record<string, unknown>).polluted, undefined);
      }),
    );

    it(
      "hands out memory that nobody overwrites",
      withStore(async (store) => {
        const first = liveRecord({
          data: map({ text: JSON.stringify("x".repeat(500)), bytes: new Uint8Array(500).fill(7) }),
        });
        await store.create(first);
        const held = await loaded(store, first.id);
        for (let i = 0; i < 20; i += 1) {
          const other = liveRecord({
            data: map({ text: JSON.stringify("y".repeat(500)), bytes: new Uint8Array(500).fill(9) }),
          });
          await store.create(other);
          await loaded(store, other.id);
        }
        assert.equal(held.data.text, first.data.text);
        assert.deepEqual(Buffer.from(held.data.bytes as Uint8Array), Buffer.alloc(500, 7));
      }),
    );
  });

  describe("update", () => {
    it(
      "P3: writes what the delta names and nothing else",
      withStore(async (store) => {
        const record = liveRecord({ data: map({ kept: "1", changed: "2", removed: "3" }) });
        await store.create(record);
        const delta = { data: { set: map({ changed: '"two"', added: "4" }), remove: ["removed", "never there"] } };
        assert.equal(await store.update(record.id, delta), true);
        const after = await loaded(store, record.id);
        assert.deepEqual(plain(after.data), { kept: "1", changed: '"two"', added: "4" });
        assert.deepEqual(plain({ ...after, data: null }), plain({ ...record, data: null }));
      }),
    );

    it(
      "P3: keeps every one of many parallel updates of different keys",
      withStore(async (store) => {
        const record = liveRecord();
        await store.create(record);
        const keys = Array.from({ length: 20 }, (_, index) => `key${index}`);
        const answers = await Promise.all(
          keys.map((key) => store.update(record.id, { data: { set: map({ [key]: `"${key}"` }) } })),
        );
        assert.ok(answers.every((answer) => answer));
        assert.deepEqual(Object.keys((await loaded(store, record.id)).data).sort(), keys.sort());
      }),
    );

    it(
      "writes the owner, the times and every map",
      withStore(async (store) => {
        const record = liveRecord();
        await store.create(record);
        const sample = fullRecord();
        const times = {
          lastSeenAt: record.lastSeenAt + MINUTE,
          idleMs: 2 * MINUTE,
          expiresAt: record.expiresAt + MINUTE,
          purgeAt: record.purgeAt + 30 * MINUTE,
        };
        await store.update(record.id, {
          ...times,
          owner: "bob",
          attributes: { set: sample.attributes },
          keys: { set: sample.keys },
          pages: { set: sample.pages },
          counters: { bytes: 5 },
        });
        await store.update(record.id, { counters: { bytes: 7, other: 1 } });
        const after = await loaded(store, record.id);
        assert.deepEqual(
          plain(after),
          plain({
            ...record,
            ...times,
            owner: "bob",
            attributes: sample.attributes,
            keys: sample.keys,
            pages: sample.pages,
            counters: map({ bytes: 12, other: 1 }),
          }),
        );
        assert.deepEqual(await idsOf(store, { state: "live", owner: "bob" }), [record.id]);
        assert.deepEqual(await idsOf(store, { state: "live", owner: record.owner }), []);
      }),
    );

    it(
      "adds up increments that come at the same time",
      withStore(async (store) => {
        const record = liveRecord();
        await store.create(record);
        await Promise.all(Array.from({ length: 10 }, () => store.update(record.id, { counters: { n: 2 } })));
        assert.equal((await loaded(store, record.id)).counters.n, 20);
      }),
    );

    it(
      "P2: is false for an id that is unknown or ended, and creates nothing",
      withStore(async (store) => {
        const record = liveRecord();
        const delta = { data: { set: map({ a: "1" }) } };
        assert.equal(await store.update(record.id, delta), false);
        await store.create(record);
        await store.end(record.id, endingOf(record));
        assert.equal(await store.update(record.id, delta), false);
        assert.equal(await store.load(record.id), undefined);
      }),
    );
  });

  describe("mutate", () => {
    it(
      "P3: loses no step of parallel read-modify-writes",
      withStore(async (store) => {
        const record = liveRecord({ data: map({ n: "0" }) });
        await store.create(record);
        const addOne = (current: SessionRecord) => ({
          data: { set: map({ n: String(Number(current.data.n) + 1) }) },
        });
        const after = await Promise.all(Array.from({ length: 10 }, () => store.mutate(record.id, addOne)));
        assert.equal((await loaded(store, record.id)).data.n, "10");
        assert.deepEqual(
          after.map((one) => Number(one?.data.n)).sort((a, b) => a - b),
          [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
        );
      }),
    );

    it(
      "calls the change in the asynchronous context of its caller, so that it can tell for whom it is made",
      withStore(async (store) => {
        const record = liveRecord({ data: map({}) });
        await store.create(record);
        const context = new AsyncLocalStorage<string>();
        const callers = ["alice", "bob", "carol"];
        await Promise.all(
          callers.map((caller) =>
            context.run(caller, () =>
              store.mutate(record.id, () => ({ data: { set: map({ [caller]: String(context.getStore()) }) } })),
            ),
          ),
        );
        const { data } = await loaded(store, record.id);
        assert.deepEqual(
          callers.map((caller) => data[caller]),
          callers,
        );
      }),
    );

    it(
      "writes nothing where the change is undefined, and answers the record",
      withStore(async (store) => {
        const record = liveRecord({ data: map({ a: "1" }) });
        await store.create(record);
        assert.deepEqual(plain(await store.mutate(record.id, () => undefined)), plain(record));
      }),
    );

    it(
      "rejects with what the change throws, and writes nothing",
      withStore(async (store) => {
        const record = liveRecord({ data: map({ a: "1" }) });
        await store.create(record);
        const thrown = new Error("changed my mind");
        await assert.rejects(
          store.mutate(record.id, () => {
            throw thrown;
          }),
          (error) => error === thrown,
        );
        assert.deepEqual(plain(await store.load(record.id)), plain(record));
      }),
    );

    it(
      "P8: refuses an expired record from the very millisecond",
      withStore(async (store, clock) => {
        const record = liveRecord({ expiresAt: clock.now + 1000 });
        await store.create(record);
        clock.now += 999;
        assert.notEqual(await store.mutate(record.id, () => ({ data: { set: map({ a: "1" }) } })), undefined);
        clock.now += 1;
        assert.equal(await store.mutate(record.id, () => ({ data: { set: map({ a: "2" }) } })), undefined);
        assert.equal((await loaded(store, record.id)).data.a, "1");
      }),
    );

    it(
      "P2: is undefined for an ended record, and creates nothing",
      withStore(async (store) => {
        const record = liveRecord();
        assert.equal(await store.mutate(record.id, () => ({ owner: "eve" })), undefined);
        await store.create(record);
        await store.end(record.id, endingOf(record));
        assert.equal(await store.mutate(record.id, () => ({ owner: "eve" })), undefined);
        assert.equal(await store.load(record.id), undefined);
      }),
    );
  });

  describe("replace", () => {
    it(
      "ends the old record and creates the new one",
      withStore(async (store) => {
        const old = liveRecord();
        const successor = liveRecord({ owner: "alice" });
        await store.create(old);
        assert.equal(await store.replace(old.id, endingOf(old, "login"), successor), true);
        assert.equal(await store.load(old.id), undefined);
        assert.deepEqual(plain(await store.load(successor.id)), plain(successor));
        assert.equal((await endedOf(store, old.id))?.reason, "login");
      }),
    );

    it(
      "P2: is false where the old record is not live, and creates nothing",
      withStore(async (store) => {
        const old = liveRecord();
        const successor = liveRecord();
        assert.equal(await store.replace(old.id, endingOf(old, "reset"), successor), false);
        await store.create(old);
        await store.end(old.id, endingOf(old));
        assert.equal(await store.replace(old.id, endingOf(old, "reset"), successor), false);
        assert.equal(await store.load(successor.id), undefined);
        assert.equal((await endedOf(store, old.id))?.reason, "killed");
      }),
    );

    it(
      "P2: lets one of many parallel replaces through",
      withStore(async (store) => {
        const old = liveRecord();
        await store.create(old);
        const successors = Array.from({ length: 5 }, () => liveRecord());
        const won = await Promise.all(
          successors.map((record) => store.replace(old.id, endingOf(old, "reset"), record)),
        );
        assert.equal(won.filter(Boolean).length, 1);
        assert.deepEqual(await idsOf(store, { state: "live" }), [successors[won.indexOf(true)]?.id]);
      }),
    );
  });

  describe("end", () => {
    it(
      "P2: is true for exactly one of many callers",
      withStore(async (store) => {
        const record = liveRecord();
        await store.create(record);
        const answers = await Promise.all(Array.from({ length: 10 }, () => store.end(record.id, endingOf(record))));
        assert.equal(answers.filter(Boolean).length, 1);
        assert.equal(await store.load(record.id), undefined);
      }),
    );

    it(
      "keeps who, when and why, and none of the data",
      withStore(async (store) => {
        const record = fullRecord();
        await store.create(record);
        const ending = endingOf(record);
        await store.end(record.id, ending);
        const { v, id, owner, project, scope, createdAt, lastSeenAt, remoteAddress, userAgent } = record;
        assert.deepEqual(plain(await endedOf(store, record.id)), {
          ...{ v, id, owner, project, scope, createdAt, lastSeenAt, remoteAddress, userAgent },
          ...ending,
        });
      }),
    );

    it(
      "keeps what the user may read, and how much the client had sent",
      withStore(async (store) => {
        for (const message of ["Please sign in again 🍵", undefined]) {
          const record = liveRecord({ counters: map({ [BYTES_SENT]: 1234 }) });
          await store.create(record);
          await store.update(record.id, { counters: { [BYTES_SENT]: 6 } });
          await store.end(record.id, { ...endingOf(record), ...(message === undefined ? {} : { message }) });
          const ended = await endedOf(store, record.id);
          assert.deepEqual([ended?.message, ended?.bytesSent], [message, 1240]);
        }
      }),
    );

    it(
      "keeps nothing where nothing is to be kept",
      withStore(async (store) => {
        const record = liveRecord();
        await store.create(record);
        const ending = endingOf(record);
        assert.equal(await store.end(record.id, { ...ending, purgeAt: ending.endedAt }), true);
        assert.equal(await endedOf(store, record.id), undefined);
      }),
    );

    it(
      "P2: no update that runs beside the end brings the session back",
      withStore(async (store) => {
        for (let round = 0; round < 10; round += 1) {
          const record = liveRecord({ data: map({ n: "0" }) });
          await store.create(record);
          await Promise.all([
            store.update(record.id, { data: { set: map({ a: "1" }) } }),
            store.mutate(record.id, () => ({ data: { set: map({ b: "1" }) } })),
            store.end(record.id, endingOf(record)),
            store.update(record.id, { lastSeenAt: record.lastSeenAt + 1 }),
            store.replace(record.id, endingOf(record, "reset"), liveRecord()),
          ]);
          assert.equal(await store.load(record.id), undefined);
        }
      }),
    );
  });

  describe("find", () => {
    it(
      "combines id, owner and project, live or ended",
      withStore(async (store) => {
        const records = [
          liveRecord({ owner: "alice", project: "shop" }),
          liveRecord({ owner: "alice", project: "forum" }),
          liveRecord({ owner: "bob", project: "shop" }),
          liveRecord({ owner: GUEST_USER, project: "shop" }),
        ];
        const [first, second, third, fourth] = records.map((record) => record.id);
        for (const record of records) await store.create(record);
        assert.deepEqual(await idsOf(store, { state: "live" }), [first, second, third, fourth].sort());
        assert.deepEqual(await idsOf(store, { state: "live", owner: "alice" }), [first, second].sort());
        assert.deepEqual(await idsOf(store, { state: "live", project: "shop" }), [first, third, fourth].sort());
        assert.deepEqual(await idsOf(store, { state: "live", owner: "alice", project: "forum" }), [second]);
        assert.deepEqual(await idsOf(store, { state: "live", id: third ?? "" }), [third]);
        assert.deepEqual(await idsOf(store, { state: "live", id: third ?? "", owner: "alice" }), []);
        assert.deepEqual(await idsOf(store, { state: "ended" }), []);
        await store.end(third ?? "", endingOf(liveRecord()));
        assert.deepEqual(await idsOf(store, { state: "live", owner: "bob" }), []);
        assert.deepEqual(await idsOf(store, { state: "ended", owner: "bob" }), [third]);
        assert.deepEqual(await idsOf(store, { state: "ended", id: third ?? "", project: "shop" }), [third]);
        assert.deepEqual(await idsOf(store, { state: "ended", owner: "bob", project: "forum" }), []);
      }),
    );

    it(
      "keeps owners apart that are alike",
      withStore(async (store) => {
        const owners = ["a", "a\u0000", "a\u0000b", "A", "ä", "a ".trimEnd() + " ", "\u{1F375}", "x".repeat(1024)];
        const byOwner = new Map<string, string>();
        for (const owner of owners) {
          const record = liveRecord({ owner });
          byOwner.set(owner, record.id);
          await store.create(record);
        }
        for (const [owner, id] of byOwner) assert.deepEqual(await idsOf(store, { state: "live", owner }), [id]);
      }),
    );

    it(
      "streams more records than fit in one page, and may be left early",
      withStore(async (store) => {
        const records = Array.from({ length: 700 }, () => liveRecord({ owner: "many" }));
        for (let start = 0; start < records.length; start += 50) {
          await Promise.all(records.slice(start, start + 50).map((record) => store.create(record)));
        }
        assert.deepEqual(
          await idsOf(store, { state: "live", owner: "many" }),
          records.map((record) => record.id).sort(),
        );
        for await (const record of store.find({ state: "live" })) {
          assert.equal(record.owner, "many");
          break;
        }
      }),
    );

    it(
      "goes on while what it finds is ended",
      withStore(async (store) => {
        const records = Array.from({ length: 30 }, () => liveRecord({ owner: "alice" }));
        await Promise.all(records.map((record) => store.create(record)));
        let ended = 0;
        for await (const record of store.find({ state: "live", owner: "alice" })) {
          if (await store.end(record.id, endingOf(record as SessionRecord))) ended += 1;
        }
        assert.equal(ended, 30);
        assert.deepEqual(await idsOf(store, { state: "live", owner: "alice" }), []);
      }),
    );
  });

  describe("find in pages", () => {
    const LETTERS = "-0AZ_az".split("");

    it(
      "streams in the order of the ids' bytes, and from after an id on",
      withStore(async (store) => {
        const inOrder = LETTERS.map((letter) => letter + idOf(letter).slice(1));
        for (const id of [...inOrder].reverse()) await store.create(liveRecord({ id, owner: "alice" }));
        for (const owner of [{}, { owner: "alice" }]) {
          assert.deepEqual(await found(store, { state: "live", ...owner }), inOrder);
          for (const [index, after] of inOrder.entries()) {
            assert.deepEqual(
              await found(store, { state: "live", ...owner, after, limit: 2 }),
              inOrder.slice(index + 1),
              `after ${after}`,
            );
          }
        }
        const [first = "", second = ""] = inOrder;
        assert.deepEqual(await found(store, { state: "live", id: second, after: first }), [second]);
        assert.deepEqual(await found(store, { state: "live", id: first, after: first }), []);
        assert.deepEqual(await found(store, { state: "ended", after: first }), []);
        for (const id of inOrder) await store.end(id, endingOf(liveRecord()));
        assert.deepEqual(await found(store, { state: "ended", owner: "alice", after: first }), inOrder.slice(1));
      }),
    );

    it(
      "finds by scope, alone and with the others, from after an id on",
      withStore(async (store) => {
        const records = Array.from({ length: 12 }, (_, n) =>
          liveRecord({
            owner: n % 2 === 0 ? "alice" : "bob",
            project: n % 3 === 0 ? "shop" : "forum",
            scope: n % 4 === 0 ? "ios" : "browser",
          }),
        ).sort((a, b) => (a.id < b.id ? -1 : 1));
        for (const record of records) await store.create(record);
        for (const fields of [
          { scope: "ios" },
          { scope: "ios", owner: "alice" },
          { scope: "browser", project: "shop", owner: "bob" },
          { scope: "android" },
        ]) {
          const matching = records.filter((record) =>
            Object.entries(fields).every(([name, value]) => record[name as "owner"] === value),
          );
          const ids = matching.map(({ id }) => id);
          assert.deepEqual(await found(store, { state: "live", ...fields }), ids);
          const [after] = ids;
          if (after === undefined) continue;
          assert.deepEqual(await found(store, { state: "live", ...fields, after }), ids.slice(1));
        }
      }),
    );

    it(
      "gives no record that does not match, unless it is asked to tell how far it is",
      withStore(async (store) => {
        const records = Array.from({ length: 40 }, (_, n) => liveRecord({ project: n === 0 ? "shop" : "forum" }));
        for (const record of records) await store.create(record);
        assert.deepEqual(await found(store, { state: "live", project: "shop" }), [records[0]?.id]);
        const told = await found(store, { state: "live", project: "shop", progressEvery: 10 });
        assert.ok(told.includes(records[0]?.id ?? "") && told.length <= 5, `told of ${told.length}`);
        assert.deepEqual(told, [...told].sort());
      }),
    );
  });

  describe("tally", () => {
    const counted = async (store: SessionStore, now: number) =>
      Object.fromEntries(
        (await store.tally(now)).map(({ project, scope, isGuest, live }) => [
          [project, scope, isGuest ? "guest" : "user"].join("|"),
          live,
        ]),
      );

    it(
      "counts live sessions by project, scope and whether they are guests'",
      withStore(async (store, clock) => {
        assert.deepEqual(await counted(store, clock.now), {});
        const groups: Partial<SessionRecord>[] = [
          { owner: "alice", project: "shop" },
          { owner: "bob", project: "shop" },
          { project: "shop" },
          { project: "shop", scope: "ios" },
          { project: "shop-2" },
          { project: "" },
          { project: "", scope: "a|b%\u0000🍵" },
        ];
        const records = groups.flatMap((fields) => [liveRecord(fields), liveRecord(fields), liveRecord(fields)]);
        for (const record of records) await store.create(record);
        assert.deepEqual(await counted(store, clock.now), {
          "shop|browser|user": 6,
          "shop|browser|guest": 3,
          "shop|ios|guest": 3,
          "shop-2|browser|guest": 3,
          "|browser|guest": 3,
          "|a|b%\u0000🍵|guest": 3,
        });
      }),
    );

    it(
      "counts no session that was ended, replaced or cleared",
      withStore(async (store, clock) => {
        const [ended, replaced, cleared] = [liveRecord(), liveRecord(), liveRecord({ purgeAt: clock.now - HOUR })];
        for (const record of [ended, replaced, cleared]) await store.create(record);
        assert.deepEqual(await counted(store, clock.now), { "|browser|guest": 3 });
        await store.end(ended.id, endingOf(ended));
        await store.replace(replaced.id, endingOf(replaced, "login"), liveRecord({ owner: "alice" }));
        assert.equal(await store.clear(clock.now), 1);
        assert.deepEqual(await counted(store, clock.now), { "|browser|user": 1 });
      }),
    );

    it(
      "P8: counts none that expired over ten minutes ago, and all that have not",
      withStore(async (store, clock) => {
        const { now } = clock;
        const passing = { endsAt: now + 9 * HOUR, purgeAt: now + 30 * HOUR };
        const renewed = liveRecord({ owner: "alice", expiresAt: now + HOUR, ...passing });
        await store.create(renewed);
        await store.create(liveRecord({ owner: "alice", expiresAt: now + HOUR, ...passing }));
        await store.create(liveRecord({ idleMs: Infinity, endsAt: Infinity, expiresAt: Infinity, purgeAt: Infinity }));
        assert.deepEqual(await counted(store, now + HOUR - 1), { "|browser|user": 2, "|browser|guest": 1 });
        const touch = { lastSeenAt: now + HOUR, expiresAt: now + 2 * HOUR, purgeAt: now + 26 * HOUR };
        await store.update(renewed.id, { ...touch, group: { project: "", scope: "browser", isGuest: false } });
        assert.deepEqual(await counted(store, now + HOUR + 10 * MINUTE), { "|browser|user": 1, "|browser|guest": 1 });
        assert.deepEqual(await counted(store, now + 99 * HOUR), { "|browser|guest": 1 });
        assert.equal(Object.hasOwn((await loaded(store, renewed.id)) as object, "group"), false);
      }),
    );

    it(
      "counts a session for its new owner",
      withStore(async (store, clock) => {
        const record = liveRecord();
        await store.create(record);
        await store.mutate(record.id, () => ({ owner: "alice" }));
        assert.deepEqual(await counted(store, clock.now), { "|browser|user": 1 });
        await store.end(record.id, endingOf(record));
        assert.deepEqual(await counted(store, clock.now), {});
      }),
    );
  });

  describe("clear", () => {
    it(
      "P8: deletes what is past its purge time and the grace, and nothing else",
      withStore(async (store, clock) => {
        const due = liveRecord({ purgeAt: clock.now - CLEAR_GRACE_MS - 1 });
        const inGrace = liveRecord({ purgeAt: clock.now - CLEAR_GRACE_MS });
        const later = liveRecord();
        const endless = liveRecord({ expiresAt: Infinity, endsAt: Infinity, idleMs: Infinity, purgeAt: Infinity });
        const ended = liveRecord();
        for (const record of [due, inGrace, later, endless, ended]) await store.create(record);
        await store.end(ended.id, {
          ...endingOf(ended),
          endedAt: clock.now - HOUR,
          purgeAt: clock.now - CLEAR_GRACE_MS - 1,
        });
        assert.equal(await store.clear(clock.now), 2);
        assert.deepEqual(await idsOf(store, { state: "live" }), [inGrace.id, later.id, endless.id].sort());
        assert.deepEqual(await idsOf(store, { state: "ended" }), []);
        assert.equal(await store.clear(clock.now), 0);
      }),
    );

    it(
      "counts each record once when two clear at the same time, and reports progress",
      withStore(async (store, clock) => {
        const records = Array.from({ length: 60 }, () => liveRecord({ purgeAt: clock.now - HOUR }));
        await Promise.all(records.map((record) => store.create(record)));
        const reported: number[] = [];
        const counts = await Promise.all([store.clear(clock.now, (n) => reported.push(n)), store.clear(clock.now)]);
        assert.equal(counts[0] + counts[1], 60);
        assert.equal(reported.at(-1) ?? 0, counts[0]);
        assert.deepEqual(await idsOf(store, { state: "live" }), []);
      }),
    );

    it(
      "leaves a record that was renewed before",
      withStore(async (store, clock) => {
        const record = liveRecord({ purgeAt: clock.now - HOUR });
        await store.create(record);
        await store.update(record.id, { expiresAt: clock.now + HOUR, purgeAt: clock.now + 2 * HOUR });
        assert.equal(await store.clear(clock.now), 0);
        assert.notEqual(await store.load(record.id), undefined);
        assert.equal(await store.clear(clock.now + 3 * HOUR), 1);
      }),
    );
  });

  describe("close", () => {
    it(
      "refuses everything afterwards, and may be repeated",
      withStore(async (store) => {
        const record = liveRecord();
        await store.create(record);
        await store.close();
        await store.close();
        const closed = { code: "SESSION_CLOSED" };
        await assert.rejects(async () => store.load(record.id), closed);
        await assert.rejects(async () => store.create(liveRecord()), closed);
        await assert.rejects(async () => store.update(record.id, {}), closed);
        await assert.rejects(async () => store.mutate(record.id, () => undefined), closed);
        await assert.rejects(async () => store.replace(record.id, endingOf(record), liveRecord()), closed);
        await assert.rejects(async () => store.end(record.id, endingOf(record)), closed);
        await assert.rejects(async () => idsOf(store, { state: "live" }), closed);
        await assert.rejects(async () => store.tally(Date.now()), closed);
        await assert.rejects(async () => store.clear(Date.now()), closed);
      }),
    );
  });
}

function idOf(text: string): string {
  return createHash("sha256").update(text).digest("base64url");
}

function map<T>(entries: Record<string, T>): Record<string, T> {
  return Object.assign(dictionary<T>(), entries);
}

/** A live record with fresh id; what is not given is a guest's session of an hour, without data. */
function liveRecord(fields: Partial<SessionRecord> = {}): SessionRecord {
  const now = Date.now();
  return {
    v: 1,
    id: idOf(randomUUID()),
    owner: GUEST_USER,
    project: "",
    scope: "browser",
    createdAt: now,
    lastSeenAt: now,
    idleMs: HOUR,
    endsAt: now + 24 * HOUR,
    expiresAt: now + HOUR,
    purgeAt: now + 25 * HOUR,
    remoteAddress: "127.0.0.1",
    userAgent: "contract",
    data: dictionary(),
    attributes: dictionary(),
    keys: dictionary(),
    pages: dictionary(),
    counters: dictionary(),
    ...fields,
  };
}

function fullRecord(): SessionRecord {
  const now = Date.now();
  return liveRecord({
    owner: "alice",
    project: "shop",
    scope: "ios",
    remoteAddress: "2001:db8::1",
    userAgent: "Mozilla/5.0 (é 🍵)",
    data: map<string | Uint8Array>({ text: '{"a":[1,"é🍵"]}', bytes: Uint8Array.of(255, 13, 0, 1), empty: '""' }),
    attributes: map({
      plain: { value: '"v"', encrypted: false, createdAt: now, modifiedAt: now + 1, expiresAt: Infinity },
      sealed: {
        value: Uint8Array.of(1, 2, 3),
        encrypted: true,
        createdAt: now,
        modifiedAt: now,
        expiresAt: now + HOUR,
      },
    }),
    keys: map({ k: { payload: "null", createdAt: now, expiresAt: now + HOUR } }),
    pages: map({ p: { path: "/tea", openedAt: now, seenAt: now } }),
    counters: map({ requests: 3 }),
  });
}

function endingOf(record: SessionRecord, reason: Ending["reason"] = "killed"): Ending {
  const endedAt = record.lastSeenAt + MINUTE;
  return { endedAt, reason, endedBy: "admin", purgeAt: endedAt + 24 * HOUR };
}

async function loaded(store: SessionStore, id: string): Promise<SessionRecord> {
  const record = await store.load(id);
  assert.ok(record, "the record is live");
  return record;
}

async function endedOf(store: SessionStore, id: string): Promise<EndedRecord | undefined> {
  for await (const record of store.find({ state: "ended", id })) return record as EndedRecord;
  return undefined;
}

async function idsOf(store: SessionStore, query: FindQuery): Promise<string[]> {
  return (await found(store, query)).sort();
}

/** The ids in the order in which they are found. */
async function found(store: SessionStore, query: FindQuery): Promise<string[]> {
  const ids: string[] = [];
  for await (const record of store.find(query)) ids.push(record.id);
  return ids;
}

/** The same content in ordinary objects and Buffers, so that deepEqual compares content only. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}
