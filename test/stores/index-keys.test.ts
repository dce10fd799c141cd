import { CLEAR_GRACE_MS } from "../../lib/record/expiry";
import { groupKey, groupOfKey, sweepKey, sweepRanges, tallyKey, tallyRanges } from "../../lib/stores/index-keys";

const AT = Date.UTC(2023, 10, 14, 22, 13, 20);
const GUESTS = { project: "shop", scope: "browser", isGuest: true };

// Stored in the indexes of running applications: another text for the same session would not be found again.
it.each([
  ["", "A|0002833333", "0"],
  ["Azu", "A|0002833333", "0"],
  ["zzu", "z|0002833333", "c"],
  ["9zu", "9|0002833333", "f"],
  ["-zu", "-|0002833333", "f"],
  ["_zu", "_|0002833333", "f"],
  ["ézu", "A|0002833333", "0"],
])("the index keys of the id %j are what they have always been", (id, sweep, shard) => {
  expect(sweepKey(id, AT)).toBe(sweep);
  expect(tallyKey(id, GUESTS, AT)).toBe(`shop|browser|guest|${shard}01oq7p`);
});

it("the tally key of a session without an end has the last bucket", () => {
  expect(tallyKey("A", { project: "a|b", scope: "", isGuest: false }, Infinity)).toBe("a%7Cb||user|0zzzzzz");
});

it("a group is read back from its key", () => {
  for (const group of [GUESTS, { project: "a|b%", scope: "é🍵", isGuest: false }]) {
    expect(groupOfKey(`${groupKey(group)}001oq7p`)).toEqual(group);
  }
  expect(groupOfKey("shop|browser")).toBeUndefined();
});

it("the ranges of a sweep have every shard, up to the bucket that is due in part", () => {
  const ranges = sweepRanges(AT + CLEAR_GRACE_MS);
  expect(ranges).toHaveLength(64);
  for (const [id, purgeAt] of [
    ["A", 0],
    ["_", AT - 1],
    ["9", AT],
  ] as const) {
    const key = sweepKey(id, purgeAt);
    expect(ranges.filter(({ from, to }) => from <= key && key <= to)).toHaveLength(1);
  }
  const later = sweepKey("A", AT + 10 * 60_000);
  expect(ranges.some(({ from, to }) => from <= later && later <= to)).toBe(false);
});

it("the ranges of a group's tally have every shard from the bucket of now on", () => {
  const ranges = tallyRanges(GUESTS, AT);
  expect(ranges).toHaveLength(16);
  expect(ranges[0]).toEqual({ from: "shop|browser|guest|001oq7p", to: "shop|browser|guest|0\u{10ffff}" });
});
