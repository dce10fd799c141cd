import { SessionCopy } from "../../../lib/cli/copy/session-copy";
import { idsOf } from "../../../lib/testing/store-contract/sample-records";
import { MemoryStore } from "../../../lib/stores/memory-store";
import type { SessionStore } from "../../../lib/stores/store";
import { describeOnEveryStore } from "../../support/every-store";
import { howMany } from "../../support/how-many";
import { killed, sessionRecord } from "../../support/session-records";
import { assertEqualIn } from "./strange-sessions";

/** Thousands of calls to the emulator take longer than a test usually may, where the machine is busy. */
jest.setTimeout(howMany(120_000, 900_000));

const LINEAGE = 1;
const onFailure = (id: string, error: unknown) => {
  throw new Error(`${id} failed`, { cause: error });
};

/** Passes until one changes nothing, as a run of the command makes. */
async function run(source: SessionStore, target: SessionStore): Promise<void> {
  const copy = new SessionCopy(source, target, LINEAGE);
  while (!copy.isSettled(await copy.pass({ onFailure })));
}

/** Saves in all these sessions, ends every third, some without a trace, and signs every third in. Returns the new ids. */
async function visit(store: SessionStore, ids: readonly string[]): Promise<string[]> {
  const begun = sessionRecord();
  const visits = ids.map(async (id, at) => {
    await store.update(id, { data: { set: { at: String(Math.random()) } }, counters: { requests: 1 } });
    if (at % 3 === 1) return signIn(store, id);
    if (at % 3 === 2) return id;
    await store.end(id, { ...killed(), ...(at % 2 === 0 && { purgeAt: 0 }) });
    return undefined;
  });
  const [, ...live] = await Promise.all([store.create(begun), ...visits]);
  return [begun.id, ...live.filter((id) => id !== undefined)];
}

async function signIn(store: SessionStore, id: string): Promise<string> {
  let record = sessionRecord({ owner: "alice" });
  while (store.isPlacedWith?.(record.id, id) === false) record = sessionRecord({ owner: "alice" });
  await store.replace(id, { ...killed(), reason: "login" }, record);
  return record.id;
}

/** Fails unless the same are live in both, with the same content, and what the source tells of ended ones, the target tells too. */
async function assertEqual(source: SessionStore, target: SessionStore): Promise<void> {
  const [live, ended] = [await idsOf(source, { state: "live" }), await idsOf(source, { state: "ended" })];
  expect(await idsOf(target, { state: "live" })).toEqual(live);
  await assertEqualIn(source, target, [...live, ...ended]);
}

describeOnEveryStore("a copy beside traffic", (every) => {
  it.each(["from", "to"])(
    "%s this store: in the end both are equal, whatever happens between and during runs",
    async (way) => {
      const [ours, memory] = [await every.open({ now: () => 0 }), new MemoryStore({ now: () => 0 })];
      const [source, target] = way === "from" ? [ours, memory] : [memory, ours];
      const records = Array.from({ length: 24 }, () => sessionRecord());
      for (const record of records) await source.create(record);
      let live = records.map(({ id }) => id);
      for (let round = 0; round < howMany(2, 10); round += 1) {
        const [visited] = await Promise.all([visit(source, live), run(source, target)]);
        live = await visit(source, visited);
      }
      await run(source, target);
      await assertEqual(source, target);
    },
  );

  it("made twice at once does no harm", async () => {
    const [source, target] = [new MemoryStore({ now: () => 0 }), await every.open({ now: () => 0 })];
    const records = Array.from({ length: 40 }, () => sessionRecord());
    for (const record of records) await source.create(record);
    const ids = records.map(({ id }) => id);
    for (const id of ids.slice(0, 10)) await source.end(id, killed());
    const runs = [run(source, target), run(source, target)];
    await visit(source, ids);
    await Promise.all(runs);
    await Promise.all([run(source, target), run(source, target)]);
    await assertEqual(source, target);
    for (const id of await idsOf(source, { state: "ended" })) expect(await target.load(id)).toBeUndefined();
  });
});
