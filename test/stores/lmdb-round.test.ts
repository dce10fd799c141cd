import { randomBytes } from "node:crypto";
import { LmdbRound } from "../../lib/stores/lmdb-round";
import type { Run } from "../../lib/stores/lmdb-run";

const runs: Run[] = ["000001", "000002", "000003"].map((purgeBucket) => ({ text: purgeBucket, lead: "", purgeBucket }));

function entry(n: number, id = randomBytes(32).toString("base64url")) {
  return { id, run: runs[n % runs.length]!, ownerKey: randomBytes(15).toString("base64url") + id };
}

it("gives back what it was given, in the order of the owners and in that in which it came", () => {
  const round = new LmdbRound(64 * 1024);
  const entries = Array.from({ length: 500 }, (_, n) => entry(n, n % 100 === 0 ? `é🍵${n}` : undefined));
  for (const each of entries) round.add(each);
  expect([...round.inOrderOfIds()]).toEqual(entries);
  expect([...round.inOrderOfOwners()]).toEqual([...entries].sort((a, b) => (a.ownerKey < b.ownerKey ? -1 : 1)));
  round.clear();
  expect([...round.inOrderOfIds(), ...round.inOrderOfOwners()]).toEqual([]);
});

it("is full before an entry with the longest key would not fit any more", () => {
  const round = new LmdbRound(16 * 1024);
  let count = 0;
  while (!round.isFull) {
    round.add(entry(count, "x".repeat(1_958)));
    count += 1;
  }
  expect(count).toBe(8);
  expect([...round.inOrderOfIds()]).toHaveLength(count);
});
