import fc from "fast-check";
import { dictionary } from "../../lib/record/session-record";
import { applyDelta, mergedDelta } from "../../lib/record/session-delta";
import type { SessionDelta } from "../../lib/record/session-delta";
import { sessionRecord } from "../support/session-records";

// Few keys, so that the deltas meet; the awkward ones among them.
const key = fc.constantFrom("a", "b", "", "__proto__", "constructor");
const map = <T>(item: fc.Arbitrary<T>) =>
  fc
    .record({ set: fc.dictionary(key, item), remove: fc.uniqueArray(key) }, { requiredKeys: [] })
    .map(({ set, remove, ...rest }) => ({
      ...rest,
      ...(set && { set: Object.assign(dictionary<T>(), set) }),
      ...(remove && { remove: remove.filter((one) => !(set && Object.hasOwn(set, one))) }),
    }));
const instant = fc.integer({ min: 0, max: 9 });
const delta: fc.Arbitrary<SessionDelta> = fc.record(
  {
    owner: fc.constantFrom("alice", "bob"),
    lastSeenAt: instant,
    expiresAt: instant,
    purgeAt: fc.oneof(instant, fc.constant(Infinity)),
    data: map(fc.constantFrom("1", "2", "3")),
    attributes: map(
      fc.record({
        value: fc.constantFrom("1", "2"),
        encrypted: fc.boolean(),
        createdAt: instant,
        modifiedAt: instant,
        expiresAt: instant,
      }),
    ),
    keys: map(fc.record({ payload: fc.constantFrom("1", "2"), createdAt: instant, expiresAt: instant })),
    pages: map(
      fc.record({ path: fc.constantFrom("/", "/a"), title: fc.constant(""), openedAt: instant, seenAt: instant }),
    ),
    counters: fc.dictionary(key, fc.integer({ min: -3, max: 3 })),
  },
  { requiredKeys: [] },
);

describe("mergedDelta", () => {
  it("does what its deltas do one after the other, whatever they are", () => {
    fc.assert(
      fc.property(fc.array(delta, { maxLength: 5 }), (deltas) => {
        const record = sessionRecord({
          data: Object.assign(dictionary<string>(), { a: "0", b: "0" }),
          counters: Object.assign(dictionary<number>(), { a: 1 }),
        });
        expect(applyDelta(record, mergedDelta(deltas))).toEqual(deltas.reduce(applyDelta, record));
      }),
      { numRuns: 500 },
    );
  });

  it("names only what one of its deltas names", () => {
    const merged = mergedDelta([{ lastSeenAt: 1 }, { data: { set: { a: "1" } } }]);
    expect(merged).toEqual({ lastSeenAt: 1, data: { set: { a: "1" }, remove: [] } });
  });

  it("leaves the deltas as they were", () => {
    const first = { data: { set: { a: "1" } }, counters: { n: 1 } };
    const second = { data: { remove: ["a"] }, counters: { n: 1 } };
    mergedDelta([first, second]);
    expect([first, second]).toEqual([
      { data: { set: { a: "1" } }, counters: { n: 1 } },
      { data: { remove: ["a"] }, counters: { n: 1 } },
    ]);
  });

  it.each([
    ["set, then removed", [{ data: { set: { a: "1" } } }, { data: { remove: ["a"] } }], { set: {}, remove: ["a"] }],
    [
      "removed, then set",
      [{ data: { remove: ["a"] } }, { data: { set: { a: "1" } } }],
      { set: { a: "1" }, remove: [] },
    ],
  ])("of a key that is %s it keeps the last", (_, deltas, data) => {
    expect(mergedDelta(deltas)).toEqual({ data });
  });
});
