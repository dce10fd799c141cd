import { killLoop } from "../../lib/admin/kill-loop";
import type { KillResult, KillSource } from "../../lib/admin/kill-loop";

interface Behaviour {
  /** The ids that a round finds; rounds are numbered from 1. */
  readonly find: (round: number) => readonly string[];
  readonly kill?: (id: string) => KillResult;
  readonly mayHaveOverlooked?: boolean;
}

function source({ find, kill = () => "killed", mayHaveOverlooked = false }: Behaviour) {
  const counts = { rounds: 0 };
  const made: KillSource<{ id: string }> = {
    async *find() {
      counts.rounds += 1;
      for (const id of find(counts.rounds)) yield { id };
    },
    kill: async ({ id }) => kill(id),
    mayHaveOverlooked: async () => mayHaveOverlooked,
  };
  return { ...made, counts };
}

const another = (round: number) => [`session ${round}`];

describe("the kill loop", () => {
  test("goes on while each round finds a session that has taken the place of the last one", async () => {
    const find = (round: number) => (round <= 500 ? another(round) : []);
    const chase = source({ find, kill: (id) => (id === "session 500" ? "killed" : "replaced") });
    await expect(killLoop([chase])).resolves.toBe(1);
    expect(chase.counts.rounds).toBe(501);
  });

  test("goes on where it overlooks that one every other time", async () => {
    const find = (round: number) => (round % 2 === 0 || round > 99 ? [] : another(round));
    const kill = (id: string) => (id === "session 99" ? "killed" : "replaced");
    const chase = source({ find, kill, mayHaveOverlooked: true });
    await expect(killLoop([chase])).resolves.toBe(1);
  });

  test.each([
    ["one that it can't end", () => ["the same"], 11],
    ["one that it can't end, beside others that it ends", (round: number) => ["the same", ...another(round)], 11],
  ])("gives up where it finds %s", async (_what, find, rounds) => {
    const endless = source({ find, kill: (id) => (id === "the same" ? "replaced" : "killed") });
    await expect(killLoop([endless])).rejects.toMatchObject({ code: "SESSION_CONFLICT" });
    expect(endless.counts.rounds).toBe(rounds);
  });

  test("gives up after a thousand rounds in which it can end none", async () => {
    const endless = source({ find: another, kill: () => "replaced" });
    await expect(killLoop([endless])).rejects.toMatchObject({ code: "SESSION_CONFLICT", ended: 0 });
    expect(endless.counts.rounds).toBe(1_000);
  });

  test("looks again where it may have overlooked some, and believes ten rounds in a row that meet none", async () => {
    const late = source({ find: (round) => (round === 5 ? ["late"] : []), mayHaveOverlooked: true });
    await expect(killLoop([late])).resolves.toBe(1);
    expect(late.counts.rounds).toBe(10);
  });

  test.each(["killed", "over"] as const)(
    "comes to an end although new sessions begin all the time: %s",
    async (what) => {
      const busy = source({ find: another, kill: () => what });
      await expect(killLoop([busy])).resolves.toBe(what === "killed" ? 10 : 0);
      expect(busy.counts.rounds).toBe(10);
    },
  );

  test("then goes on with the next source, and a failure there tells of both", async () => {
    const busy = source({ find: another });
    const damaged = source({
      find: () => ["damaged"],
      kill: () => "replaced",
    });
    await expect(killLoop([busy, damaged])).rejects.toMatchObject({ code: "SESSION_CONFLICT", ended: 10 });
  });
});
