import { killLoop } from "../../lib/admin/kill-loop";
import type { KillLoopSource } from "../../lib/admin/kill-loop";

interface Target {
  readonly id: string;
  readonly beganAt: number;
}

const NOW = Date.now();

interface Behaviour {
  /** The ids that a round finds; rounds are numbered from 1. */
  readonly find: (round: number) => readonly string[];
  readonly beganAt?: number;
  readonly isKilled?: (id: string) => boolean;
  readonly mayHaveMissed?: boolean;
}

function source({ find, beganAt = NOW - 1, isKilled = () => true, mayHaveMissed = false }: Behaviour) {
  const counts = { rounds: 0 };
  const made: KillLoopSource<Target> = {
    async *find() {
      counts.rounds += 1;
      for (const id of find(counts.rounds)) yield { id, beganAt };
    },
    beganAt: (target) => target.beganAt,
    kill: async ({ id }) => isKilled(id),
    mayHaveMissed: async () => mayHaveMissed,
    now: () => NOW,
  };
  return { ...made, counts };
}

const another = (round: number) => [`session ${round}`];

describe("the kill loop", () => {
  test("goes on while each round finds a session that has taken the place of the last one", async () => {
    const find = (round: number) => (round <= 500 ? another(round) : []);
    const chase = source({ find, isKilled: (id) => id === "session 500" });
    await expect(killLoop(chase)).resolves.toBe(1);
    expect(chase.counts.rounds).toBe(501);
  });

  test.each([
    ["one that it can't end", () => ["the same"], 11],
    ["others all the time, and can end none of them", another, 1_000],
  ])("gives up where it finds %s", async (_what, find, rounds) => {
    const endless = source({ find, isKilled: () => false });
    await expect(killLoop(endless)).rejects.toMatchObject({ code: "SESSION_CONFLICT", ended: 0 });
    expect(endless.counts.rounds).toBe(rounds);
  });

  test("looks again where it may have missed some, and believes ten rounds in a row that find none", async () => {
    const late = source({ find: (round) => (round === 5 ? ["late"] : []), mayHaveMissed: true });
    await expect(killLoop(late)).resolves.toBe(1);
    expect(late.counts.rounds).toBe(15);
  });

  test("comes to an end although new sessions begin all the time", async () => {
    const busy = source({ find: another, beganAt: NOW + 1 });
    await expect(killLoop(busy)).resolves.toBe(5);
    expect(busy.counts.rounds).toBe(5);
  });

  test("goes on while one that began later can't be ended yet", async () => {
    const find = (round: number) => (round <= 50 ? another(round) : []);
    const chase = source({ find, beganAt: NOW + 1, isKilled: (id) => id === "session 50" });
    await expect(killLoop(chase)).resolves.toBe(1);
  });
});
