/**
 * Times single operations on session folders of several sizes, alternately.
 * `growth-process.ts <rounds> <folder> <sessions> …` prints `GrowthSamples` as JSON.
 */
import { statSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type * as Coatcheck from "coatcheck";
import type * as CoatcheckSqlite from "coatcheck/sqlite";
import { ownerOf } from "./seed-process";

/** In microseconds: a list for each folder, with one number for each round. */
export interface GrowthSamples {
  readonly load: readonly number[][];
  readonly update: readonly number[][];
  readonly list: readonly number[][];
  readonly kill: readonly number[][];
  /** CPU time of all the process's threads for the same. */
  readonly killCpu: readonly number[][];
  /** The size of each folder's data file after seeding, in bytes. */
  readonly bytes: readonly number[];
}

const LOADS = 200;
const UPDATES = 50;
const HOUR = 3_600_000;

void main();

async function main(): Promise<void> {
  const [rounds = "1", ...pairs] = process.argv.slice(2);
  const load = createRequire(__filename);
  const { Sessions } = load("../dist/index.js") as typeof Coatcheck;
  const { SqliteStore } = load("../dist/stores/sqlite/sqlite-store.js") as typeof CoatcheckSqlite;
  const folders = [];
  for (let at = 0; at < pairs.length; at += 2) {
    const path = pairs[at] ?? "";
    const bytes = statSync(join(path, "sessions.db")).size;
    const store = new SqliteStore({ path });
    const sessions = new Sessions({ store, clearSchedule: false });
    folders.push({ count: Number(pairs[at + 1]), bytes, store, sessions });
  }
  const samples = { load: [], update: [], list: [], kill: [], killCpu: [] } as Record<string, number[][]>;
  for (const each of Object.values(samples)) each.push(...folders.map(() => []));

  // The first round is a warm-up and isn't kept.
  for (let round = 0; round <= Number(rounds); round += 1) {
    for (const [at, { count, store, sessions }] of folders.entries()) {
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
      const before = process.cpuUsage();
      await time("kill", 1, () => sessions.killSessionByUser(user));
      const { user: inUser, system } = process.cpuUsage(before);
      if (round > 0) samples.killCpu?.[at]?.push(inUser + system);
    }
  }
  for (const { sessions, store } of folders) {
    await sessions.close();
    await store.close();
  }
  console.log(JSON.stringify({ ...samples, bytes: folders.map(({ bytes }) => bytes) }));
}
