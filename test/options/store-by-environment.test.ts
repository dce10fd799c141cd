import { SessionError } from "../../lib";
import { placeByEnvironment, placeOf, storeAt } from "../../lib/options/store-by-environment";

describe("COATCHECK_STORE", () => {
  it.each([
    ["datastore:", { kind: "datastore" }],
    ["sqlite:./.sessions", { kind: "sqlite", path: "./.sessions" }],
    ["sqlite:/var/lib/shop", { kind: "sqlite", path: "/var/lib/shop" }],
    ["redis://alice:s3cret@cache:6379/1", { kind: "redis", url: "redis://alice:s3cret@cache:6379/1" }],
    ["rediss://cache", { kind: "redis", url: "rediss://cache" }],
    [
      "redis://alice:s%23@cache/1?prefix=a%3Ab&shards=4",
      { kind: "redis", url: "redis://alice:s%23@cache/1", prefix: "a:b", shards: 4 },
    ],
    ["postgres://alice:s%23@db/shop", { kind: "postgres", url: "postgres://alice:s%23@db/shop" }],
    [
      "postgresql://db/shop?schema=a%22b&sslmode=require&table=coats",
      { kind: "postgres", url: "postgresql://db/shop?sslmode=require", schema: 'a"b', table: "coats" },
    ],
  ])("names a place: %s", (address, place) => {
    expect(placeOf(address, "COATCHECK_STORE")).toEqual(place);
    expect(placeByEnvironment({ COATCHECK_STORE: address, K_SERVICE: "shop" })).toEqual(place);
  });

  it("of Redis with a prefix or shards that can't be is refused without the address", () => {
    for (const wrong of ["shards=many", "shards=", "prefix=%7B"]) {
      const make = () => storeAt(placeOf(`redis://alice:s3cret@cache?${wrong}`, "COATCHECK_STORE"), {});
      expect(make).toThrow(expect.objectContaining({ code: "SESSION_CONFIG" }));
      expect(make).not.toThrow(/s3cret|alice/);
    }
  });

  it.each([
    ["mysql://alice:s3cret@db/shop", "names no store"],
    ["alice:s3cret@db", "names no store"],
    ["s3cret", "names no store"],
    ["constructor:s3cret", "names no store"],
    ["postgres:s3cret", "write postgres://user:password@host:5432/database"],
    ["postgres//alice:s3cret@db", "names no store"],
    ["postgres://alice:s3cret@db:99999/x", "write postgres://"],
    ["redis:s3cret", "write redis://user:password@host:6379"],
    ["rediss://[s3cret", "write rediss://"],
    ["sqlite:", "write sqlite:./.sessions"],
    ["sqlite://s3cret/x", "write sqlite:./.sessions"],
    ["datastore:s3cret", "write datastore: alone"],
    ["datastore://s3cret", "write datastore: alone"],
    [" postgres://alice:s3cret@db/x", "names no store"],
  ])("that is wrong is refused with what to write, and is never repeated: %s", (address, instead) => {
    let told: unknown;
    try {
      placeByEnvironment({ COATCHECK_STORE: address });
    } catch (error) {
      told = error;
    }
    expect(told).toBeInstanceOf(SessionError);
    const { code, message } = told as SessionError;
    expect([code, message]).toEqual(["SESSION_CONFIG", expect.stringContaining(instead)]);
    expect(message).toMatch(/^COATCHECK_STORE /);
    expect(message).not.toMatch(/s3cret|alice/);
  });
});
