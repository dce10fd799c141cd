import type { RedisStore } from "../../lib/stores/redis/redis-store";
import { liveRecord } from "../../lib/testing/store-contract/sample-records";
import { eventually } from "./eventually";
import type { OwnRedis } from "./own-redis";

/**
 * Makes a change that the primary has and its replica does not, and takes the connection from the store while it waits
 * for the replica. Rejects as the change does.
 */
export async function lostWaiting(
  store: RedisStore,
  [primary, replica]: readonly [OwnRedis, OwnRedis],
  lose: () => unknown,
): Promise<void> {
  const record = liveRecord();
  await store.create(record);
  replica.freeze();
  let isOver = false;
  const change = store.update(record.id, { counters: { n: 1 } }).finally(() => (isOver = true));
  const losing = eventually(async () => isOver || (await primary.info("clients")).includes("blocked_clients:1"));
  try {
    await Promise.all([change, losing.then(lose)]);
  } finally {
    replica.thaw();
  }
}
