import { EVERY_FAULT } from "./faulty-store";
import { torture, tortureFaulty, tortureScripts } from "./torture";
import type { TorturePlan } from "./torture";

/** The long ones are what `npm run test:long` runs. */
const PLANS: TorturePlan[] =
  process.env.COATCHECK_LONG === undefined
    ? [{ seconds: 8, servers: 3 }]
    : [
        { seconds: 240, servers: 4, neighbours: 1 },
        { seconds: 120, servers: 8 },
      ];

const scripts = tortureScripts();

afterAll(() => scripts.dispose());

it.each(PLANS)(
  "P2, P3, P7: servers that share a folder, and are killed all the time, break no promise: %j",
  async (plan) => {
    const { violations, figures } = await torture(scripts, plan);
    process.stdout.write(`${JSON.stringify({ ...plan, ...figures }, null, 1)}\n`);
    expect(violations).toEqual([]);
    expect(figures.requests[200]).toBeGreaterThan(plan.seconds * 10);
    expect(figures.cleared).toBeGreaterThan(0);
    expect(figures.searches).toBeGreaterThan(0);
    expect(figures.checked.live).toBeGreaterThan(0);
    expect(figures.checked.ended).toBeGreaterThan(0);
  },
  900_000,
);

it.each(EVERY_FAULT)("the torture notices a store that %s", async (fault) => {
  expect(await tortureFaulty(scripts, fault)).not.toEqual([]);
});
