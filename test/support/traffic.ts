import { setTimeout as sleep } from "node:timers/promises";
import type { RedisStore } from "../../lib/stores/redis/redis-store";
import { endingOf, liveRecord, loaded, map } from "../../lib/testing/store-contract/sample-records";
import { eventually } from "./eventually";

/** Changes and ends sessions while something happens, and looks afterwards whether all that was acknowledged is so. */
export async function traffic(store: RedisStore, happening: () => Promise<void>): Promise<void> {
  const ended = new Set<string>();
  const written = new Map<string, string>();
  const failures: unknown[] = [];
  let isOver = false;
  const visit = async () => {
    while (!isOver) {
      const record = liveRecord();
      try {
        await store.create(record);
        await store.update(record.id, { data: { set: map({ a: "1" }) } });
        written.set(record.id, "1");
        if (Math.random() < 0.5) {
          written.delete(record.id);
          if (await store.end(record.id, endingOf(record))) ended.add(record.id);
          expect(await store.update(record.id, { data: { set: map({ a: "2" }) } })).toBe(false);
        }
      } catch (error) {
        failures.push(error);
      }
      await sleep(5);
    }
  };
  const visits = Array.from({ length: 8 }, visit);
  try {
    // Every client has found the nodes again since the test before.
    await eventually(() => ended.size > 0);
    await happening();
  } finally {
    isOver = true;
    await Promise.all(visits);
  }
  for (const failure of failures) expect(failure).toMatchObject({ status: 503 });
  await eventually(async () => (await store.tally(Date.now()).catch(() => undefined)) !== undefined);
  expect(ended.size).toBeGreaterThan(0);
  for (const id of ended) expect(await store.load(id)).toBeUndefined();
  for (const [id, a] of written) expect((await loaded(store, id)).data.a).toBe(a);
}
