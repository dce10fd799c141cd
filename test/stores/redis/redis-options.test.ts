import { RedisStore } from "../../../lib/stores/redis/redis-store";

/** The message with which options are refused. */
function refusal(options: object): string {
  try {
    new RedisStore(options);
  } catch (error) {
    expect(error).toMatchObject({ code: "SESSION_CONFIG" });
    return (error as Error).message;
  }
  throw new Error("These options were not refused.");
}

const url = "redis://127.0.0.1:6379";

describe("The options of RedisStore", () => {
  it("are a client or a URL, and not both", () => {
    expect(refusal({})).toContain('write client: a connected client, or url: "redis://127.0.0.1:6379"');
    expect(refusal({ url, client: { sendCommand: () => undefined } })).toContain("takes a client or a url");
    expect(refusal({ client: {} })).toContain("a connected client of the package redis or ioredis");
  });

  it("never show the password of a URL", () => {
    expect(refusal({ url: "http://me:hunter2@127.0.0.1" })).not.toContain("hunter2");
    expect(refusal({ url: "redis://me:hunter2@[" })).not.toContain("hunter2");
  });

  it("take no prefix that could end a hash tag, and as many shards as halve an id's beginning", () => {
    for (const prefix of ["", "a}b", "a{b", "é", "a b", "x".repeat(65)])
      expect(refusal({ url, prefix })).toContain("prefix");
    for (const shards of [0, 3, 128, 1.5, "16"]) expect(refusal({ url, shards })).toContain("give 1, 2, 4, 8");
  });

  it("are refused where they are unknown, with what was meant", () => {
    expect(refusal({ url, timeout: 1_000 })).toContain("write timeoutMs: 5_000");
    expect(refusal({ url, ttl: 60 })).toContain("idleTimeout");
    expect(refusal({ url, shard: 4 })).toContain("did you mean shards?");
    expect(refusal({ url, redisClient: {} })).toContain("write client");
  });

  it.each(["redis:/user:hush@host", "user:hush@host:6379", "redis://:hush@host:99999999"])(
    "never repeats an address: %s",
    (url) => {
      expect(refusal({ url })).not.toContain("hush");
      expect(refusal({ url, client: { sendCommand: () => undefined } })).not.toContain("hush");
    },
  );
});
