import { setImmediate as nextTurn } from "node:timers/promises";
import { SessionCopy } from "../../../lib/cli/copy/session-copy";
import type { PassCounts } from "../../../lib/cli/copy/session-copy";
import { MemoryStore } from "../../../lib/stores/memory-store";
import type { FindQuery, SessionStore } from "../../../lib/stores/store";
import { idsOf } from "../../../lib/testing/store-contract/sample-records";
import { describeOnEveryStore } from "../../support/every-store";
import { killed, sessionRecord } from "../../support/session-records";
import { contentOf } from "./strange-sessions";

/** To take away what many stores have left takes longer than a hook usually may, where the machine is busy. */
jest.setTimeout(120_000);

const HOUR = 3_600_000;
const onFailure = (id: string, error: unknown) => {
  throw new Error(`${id} failed`, { cause: error });
};
/** An end of which nothing is kept, as with `keepEnded: 0`. */
const traceless = () => ({ ...killed(), purgeAt: 0 });
const set = (key: string, value: string) => ({ data: { set: { [key]: value } } });

const lineages = new Map<SessionStore, number>();

/** A number for each store, as the command has one for each address. */
function lineageOf(store: SessionStore): number {
  const lineage = lineages.get(store) ?? lineages.size + 1;
  lineages.set(store, lineage);
  return lineage;
}

/** What the next run, which knows nothing of the last one, does: all that its passes change, and what its last one leaves. */
async function copied(source: SessionStore, target: SessionStore, lineage = lineageOf(source)) {
  const copy = new SessionCopy(source, target, lineage);
  const changed = { created: 0, updated: 0, ended: 0 };
  let conflicts: string[];
  let last: PassCounts;
  do {
    conflicts = [];
    last = await copy.pass({ onFailure, onChangedInBoth: (id) => conflicts.push(id) });
    for (const outcome of ["created", "updated", "ended"] as const) changed[outcome] += last[outcome];
  } while (!copy.isSettled(last));
  return { copy, counts: { ...last, ...changed }, conflicts };
}

/** The store, but for these methods. */
function changedStore(store: SessionStore, methods: Partial<SessionStore>): SessionStore {
  return new Proxy(store, {
    get: (_, name) => {
      const method: unknown = Reflect.get(name in methods ? methods : store, name);
      return typeof method === "function" ? method.bind(store) : method;
    },
  });
}

describeOnEveryStore("a copy between two stores in use", (every) => {
  const opened = async () => [new MemoryStore({ now: () => 0 }), await every.open({ now: () => 0 })] as const;

  /** A session that was copied and is live in both, and another one, so that the two stores are known to be related. */
  async function live(source: SessionStore, target: SessionStore) {
    const [record, other] = [sessionRecord(), sessionRecord()];
    for (const each of [record, other]) await source.create(each);
    await copied(source, target);
    return { id: record.id, record, other };
  }

  it("never puts an old content in the place of what the target's app has saved, however soon", async () => {
    const [source, target] = await opened();
    const { id } = await live(source, target);
    await target.update(id, set("cart", '"tea"'));
    const before = await contentOf(target, id);
    expect((await copied(source, target)).counts).toMatchObject({ newerInTarget: 1, updated: 0 });
    expect(await contentOf(target, id)).toEqual(before);
    await source.update(id, set("cart", '"old"'));
    const { counts, conflicts } = await copied(source, target);
    expect([counts.changedInBoth, conflicts]).toEqual([1, [id]]);
    expect(await contentOf(target, id)).toEqual(before);
  });

  it("brings what the source has saved over where the target has only been seen since, and goes back in no instant", async () => {
    const [source, target] = await opened();
    const { id, record } = await live(source, target);
    const at = record.lastSeenAt + 60_000;
    await target.update(id, { lastSeenAt: at, expiresAt: at + HOUR, purgeAt: at + 2 * HOUR });
    await source.update(id, set("cart", '"tea"'));
    expect((await copied(source, target)).counts).toMatchObject({ updated: 1 });
    expect(await target.load(id)).toMatchObject({ lastSeenAt: at, expiresAt: at + HOUR, data: { cart: '"tea"' } });
    const later = at + 60_000;
    await source.update(id, { lastSeenAt: later, expiresAt: later + HOUR, purgeAt: later + 2 * HOUR });
    await target.update(id, set("cart", '"cake"'));
    expect((await copied(source, target)).counts).toMatchObject({ newerInTarget: 1 });
    expect(await target.load(id)).toMatchObject({
      lastSeenAt: later,
      expiresAt: later + HOUR,
      data: { cart: '"cake"' },
    });
  });

  it("goes the way back, and back again, with what the app has changed there", async () => {
    const [source, target] = await opened();
    const { id, other } = await live(source, target);
    await target.update(id, set("n", "1"));
    expect((await copied(target, source)).counts).toMatchObject({ changedInBoth: 0, newerInTarget: 0 });
    expect(await contentOf(source, id)).toEqual(await contentOf(target, id));
    await source.update(id, set("n", "2"));
    await source.end(other.id, traceless());
    expect((await copied(source, target)).counts).toMatchObject({ updated: 1, ended: 1, changedInBoth: 0 });
    expect(await contentOf(target, id)).toEqual(await contentOf(source, id));
    expect(await target.load(other.id)).toBeUndefined();
  });

  it("ends what has ended in the source and left no trace, between two runs too, and nothing that began in the target", async () => {
    const [source, target] = await opened();
    const { id, other } = await live(source, target);
    const [own, expired] = [sessionRecord(), sessionRecord({ expiresAt: Date.now() - 1, idleMs: 1 })];
    await target.create(own);
    await source.create(expired);
    await copied(source, target);
    const now = Date.now();
    await target.update(expired.id, { lastSeenAt: now, idleMs: HOUR, expiresAt: now + HOUR, purgeAt: now + HOUR });
    await source.end(expired.id, traceless());
    await source.end(id, traceless());
    expect((await copied(source, target)).counts).toMatchObject({ ended: 1, missing: 0 });
    expect(await target.load(id)).toBeUndefined();
    for (const each of [other, own, expired]) expect(await target.load(each.id)).toBeDefined();
  });

  it("ends nothing because of a source that is another one", async () => {
    const [source, target] = await opened();
    const { id, other } = await live(source, target);
    const wrong = new MemoryStore();
    for (let run = 0; run < 2; run += 1) {
      await wrong.create(sessionRecord());
      expect((await copied(wrong, target)).counts).toMatchObject({ created: 1, ended: 0 });
    }
    for (const each of [id, other.id]) expect(await target.load(each)).toBeDefined();
  });

  it("ends nothing because of a source that has lost all its sessions, but asks", async () => {
    const [source, target] = await opened();
    const { id, other } = await live(source, target);
    const emptied = new MemoryStore();
    for (let run = 0; run < 2; run += 1) {
      const { copy, counts } = await copied(emptied, target, lineageOf(source));
      expect([counts.missing, counts.ended, copy.isSourceEmpty]).toEqual([2, 0, true]);
    }
    for (const each of [id, other.id]) expect(await target.load(each)).toBeDefined();
  });

  it("leaves live what expired in the source because it was used in the target", async () => {
    const [source, target] = await opened();
    const { id, record } = await live(source, target);
    const at = Date.now() + 60_000;
    await target.update(id, { lastSeenAt: at, expiresAt: at + HOUR, purgeAt: at + HOUR });
    await source.end(id, { ...killed(), reason: "expired" });
    expect((await copied(source, target)).counts).toMatchObject({ newerInTarget: 1, ended: 0 });
    expect(await target.load(record.id)).toBeDefined();
  });

  it("P2: brings no session back that has ended in the target, nor one that a copy with an old view made again", async () => {
    const [source, target] = await opened();
    const { id, other } = await live(source, target);
    await target.end(id, killed());
    expect((await copied(source, target)).counts).toMatchObject({ endedInTarget: 1, created: 0 });
    expect(await target.load(id)).toBeUndefined();
    const late = await source.load(other.id);
    const marked = await target.load(other.id);
    await target.end(other.id, killed());
    await target.create({ ...late!, counters: marked!.counters });
    expect((await copied(source, target)).counts).toMatchObject({ ended: 1 });
    expect(await target.load(other.id)).toBeUndefined();
  });

  it("P2: brings no session back that another copy made and the target's app ended after this one had read the target", async () => {
    const [source, target] = await opened();
    const record = sessionRecord();
    await source.create(record);
    const reads: Promise<unknown>[] = [];
    const readTarget = (query: FindQuery) => {
      const read = idsOf(target, query);
      reads.push(read);
      return read;
    };
    const early = changedStore(target, {
      async *find(query: FindQuery) {
        if (query.id === undefined) expect(await readTarget(query)).toEqual([]);
        else yield* target.find(query);
      },
    });
    const late = changedStore(source, {
      async *find(query: FindQuery) {
        if (query.state === "live") {
          while (reads.length < 3) await nextTurn();
          await Promise.all(reads);
          await target.create(record);
          await target.end(record.id, killed());
        }
        yield* source.find(query);
      },
    });
    const copy = new SessionCopy(late, early, lineageOf(source));
    expect(await copy.pass({ onFailure })).toMatchObject({ created: 0, endedInTarget: 1 });
    expect(await target.load(record.id)).toBeUndefined();
  });

  it("P2: knows within a run what has ended in the target and left no trace", async () => {
    const [source, target] = await opened();
    const records = Array.from({ length: 3 }, () => sessionRecord());
    for (const record of records) await source.create(record);
    const { copy } = await copied(source, target);
    await target.end(records[1]!.id, traceless());
    expect(await copy.pass({ onFailure })).toMatchObject({ created: 0, endedInTarget: 1 });
    expect(await target.load(records[1]!.id)).toBeUndefined();
  });
});
