import { newToken, sessionIdOf } from "../../../lib/record/token";
import { RedisKeys } from "../../../lib/stores/redis/redis-keys";
import { RedisStore } from "../../../lib/stores/redis/redis-store";
import type { Session } from "../../../lib/session/session";
import { describeOnRedis, forgetPrefix, freshPrefix, redisUrl } from "../../support/redis-server";
import { startVisits } from "../../support/visits";

const newIds = (count: number) => Array.from({ length: count }, () => sessionIdOf(newToken()));

describe("The shards of ids", () => {
  it("are in the order of the ids' bytes, and alike in size", () => {
    for (const count of [1, 2, 16, 64]) {
      const keys = new RedisKeys("p", count);
      const shards = newIds(6_400)
        .sort()
        .map((id) => keys.shardOf(id));
      expect(shards).toEqual([...shards].sort((a, b) => a - b));
      const sizes = Array.from({ length: count }, (_, shard) => shards.filter((one) => one === shard).length);
      expect(Math.max(...sizes) / (6_400 / count)).toBeLessThan(2);
    }
    const keys = new RedisKeys("p", 64);
    for (const id of ["", "!", ".", "~", "é"]) expect(keys.shards[keys.shardOf(id)]).toBeDefined();
  });
});

describeOnRedis("A successor", () => {
  it("lies in the shard of its predecessor, so that one script can replace it", async () => {
    const prefix = freshPrefix();
    const keys = new RedisKeys(prefix, 16);
    const visits = await startVisits({ store: new RedisStore({ url: redisUrl(), prefix }) });
    const alice = visits.visitor();
    await alice.run((session) => void session.set("views", 1));
    const shard = keys.shardOf(alice.id);
    const startingOver: ((session: Session) => Promise<void>)[] = [
      (session) => session.login("alice"),
      (session) => session.logout(),
      (session) => session.login("bob"),
      (session) => session.reset(),
    ];
    for (const startOver of startingOver) {
      const before = alice.id;
      await alice.run(startOver);
      await alice.run((session) => void session.set("n", 1));
      expect(alice.id).not.toBe(before);
      expect(keys.shardOf(alice.id)).toBe(shard);
    }
    await visits.close();
    await forgetPrefix(prefix);
  });
});
