import { storeContract } from "../../../lib/testing/store-contract/store-contract";
import { RedisStore } from "../../../lib/stores/redis/redis-store";
import { readsHeadersAlone } from "../../support/header-queries";
import { describeOnRedis, forgetPrefix, freshPrefix, redisClients, redisUrl } from "../../support/redis-server";

for (const { name, connect } of redisClients) {
  describeOnRedis(`RedisStore, on ${name}`, () => {
    let given: Awaited<ReturnType<typeof connect>>;
    beforeAll(async () => (given = await connect(redisUrl())));
    afterAll(() => given.close());
    const makeStore = (now: () => number) => {
      const prefix = freshPrefix();
      const store = new RedisStore({ client: given.client, prefix, timeoutMs: 20_000, now });
      return { store, dispose: () => forgetPrefix(prefix) };
    };
    storeContract(makeStore, { describe, it });
    readsHeadersAlone(makeStore);
  });
}

describeOnRedis("RedisStore, on a client of its own", () => {
  const makeStore = (now: () => number) => {
    const prefix = freshPrefix();
    const store = new RedisStore({ url: redisUrl(), prefix, timeoutMs: 20_000, now });
    return { store, dispose: () => forgetPrefix(prefix) };
  };
  storeContract(makeStore, { describe, it });
});
