/**
 * Times single operations on stores of several sizes, alternately.
 * `growth-process.ts <rounds> <place> <sessions> …` prints `GrowthSamples` as JSON.
 */
import { createRequire } from "node:module";
import type * as Coatcheck from "coatcheck";
import { watchDatabase } from "./database-calls";
import type { DatabaseWatch } from "./database-calls";
import { databaseOf, openPlace } from "./places";
import { ownerOf } from "./seed-process";

/** In microseconds: a list for each place, with one number for each round. */
export interface GrowthSamples {
  readonly load: readonly number[][];
  readonly update: readonly number[][];
  readonly list: readonly number[][];
  readonly kill: readonly number[][];
  /** CPU time of all the process's threads for the same. */
  readonly killCpu: readonly number[][];
  /** The time inside the database for the same; nothing where the store has none. */
  readonly killServer: readonly number[][];
}

const LOADS = 200;
const UPDATES = 50;
const HOUR = 3_600_000;

void main();

async function main(): Promise<void> {
  const [rounds = "1", ...pairs] = process.argv.slice(2);
  const load = createRequire(__filename);
  const { Sessions } = load("../dist/index.js") as typeof Coatcheck;
  const places = [];
  for (let at = 0; at < pairs.length; at += 2) {
    const store = openPlace(pairs[at] ?? "");
    const sessions = new Sessions({ store, clearSchedule: false });
    places.push({ count: Number(pairs[at + 1]), store, sessions });
  }
  const database = databaseOf(pairs[0] ?? "");
  const watch = database === undefined ? undefined : await watchDatabase(database);
  const samples = { load: [], update: [], list: [], kill: [], killCpu: [], killServer: [] } as Record<
    string,
    number[][]
  >;
  for (const each of Object.values(samples)) each.push(...places.map(() => []));

  // The first round is a warm-up and isn't kept.
  for (let round = 0; round <= Number(rounds); round += 1) {
    for (const [at, { count, store, sessions }] of places.entries()) {
      const time = async (name: string, times: number, operation: (n: number) => unknown): Promise<void> => {
        const start = performance.now();
        for (let n = 0; n < times; n += 1) await operation(n);
        if (round > 0) samples[name]?.[at]?.push(((performance.now() - start) * 1000) / times);
      };
      // Sessions of random users, so that most have not been read before.
      const ids: string[] = [];
      while (ids.length < LOADS) {
        const owner = ownerOf(Math.floor(Math.random() * count), count);
        for await (const { id } of store.find({ state: "live", owner })) ids.push(id);
      }
      ids.sort(() => Math.random() - 0.5);
      const user = ownerOf(round, count);
      const seen = { lastSeenAt: Date.now(), expiresAt: Date.now() + 24 * HOUR, purgeAt: Date.now() + 24 * HOUR };
      await time("load", LOADS, (n) => store.load(ids[n] ?? ""));
      await time("update", UPDATES, (n) =>
        store.update(ids[n] ?? "", { ...seen, data: { set: { visits: String(n) } } }),
      );
      await time("list", 1, () => sessions.getSessionInfo({ username: user }));
      const inDatabase = await totalUs(watch);
      const before = process.cpuUsage();
      await time("kill", 1, () => sessions.killSessionByUser(user));
      const { user: inUser, system } = process.cpuUsage(before);
      if (round === 0) continue;
      samples.killCpu?.[at]?.push(inUser + system);
      if (watch !== undefined) samples.killServer?.[at]?.push((await totalUs(watch)) - inDatabase);
    }
  }
  for (const { sessions, store } of places) {
    await sessions.close();
    await store.close();
  }
  await watch?.close();
  console.log(JSON.stringify(samples));
}

/** All the time inside the database since it began, in microseconds. */
async function totalUs(watch: DatabaseWatch | undefined): Promise<number> {
  const calls = Object.values((await watch?.calls()) ?? {});
  return calls.reduce((sum, { us }) => sum + us, 0);
}
