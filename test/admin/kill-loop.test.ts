import { killLoop } from "../../lib/admin/kill-loop";
import type { KillSource } from "../../lib/admin/kill-loop";

interface Target {
  readonly id: string;
}

/** A source whose rounds find what `idsOf` returns for their numbers, which begin with 1. */
function source(idsOf: (round: number) => readonly string[], isKilled: (id: string) => boolean, mayHaveMissed = false) {
  const counts = { rounds: 0 };
  const made: KillSource<Target> = {
    async *find() {
      counts.rounds += 1;
      for (const id of idsOf(counts.rounds)) yield { id };
    },
    kill: async ({ id }) => isKilled(id),
    mayHaveMissed: async () => mayHaveMissed,
  };
  return { ...made, counts };
}

describe("the kill loop", () => {
  test("goes on while each round finds a session that has taken the place of the last one", async () => {
    const chase = source(
      (round) => (round <= 500 ? [`session ${round}`] : []),
      (id) => id === "session 500",
    );
    await expect(killLoop(chase)).resolves.toBe(1);
    expect(chase.counts.rounds).toBe(501);
  });

  test.each([
    ["one that it can't end", () => ["the same"], 11],
    ["others all the time, and can end none of them", (round: number) => [`session ${round}`], 1_000],
  ])("gives up where it finds %s", async (_what, idsOf, rounds) => {
    const endless = source(idsOf, () => false);
    await expect(killLoop(endless)).rejects.toMatchObject({ code: "SESSION_CONFLICT", ended: 0 });
    expect(endless.counts.rounds).toBe(rounds);
  });

  test("looks again where it may have missed some, and believes ten rounds in a row that find none", async () => {
    const late = source(
      (round) => (round === 5 ? ["late"] : []),
      () => true,
      true,
    );
    await expect(killLoop(late)).resolves.toBe(1);
    expect(late.counts.rounds).toBe(15);
  });
});
