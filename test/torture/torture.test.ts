import { howMany } from "../support/how-many";
import { EVERY_FAULT } from "./faulty-store";
import { torture, tortureFaulty, tortureScripts } from "./torture";
import type { TorturePlan } from "./torture";

const PLANS: TorturePlan[] = [
  { seconds: howMany(4, 240), servers: howMany(3, 4), neighbours: howMany(0, 1) },
  ...(howMany(0, 1) === 0 ? [] : [{ seconds: 120, servers: 8 }]),
];

const scripts = tortureScripts();

afterAll(() => scripts.dispose());

it.each(PLANS)(
  "P2, P3, P7: servers that share a folder, and are killed all the time, break no promise: %j",
  async (plan) => {
    const { violations, figures } = await torture(scripts, plan);
    process.stdout.write(`${JSON.stringify({ ...plan, ...figures }, null, 1)}\n`);
    expect(violations).toEqual([]);
    expect(figures.requests[200]).toBeGreaterThan(0);
    expect(figures.cleared).toBeGreaterThan(0);
    expect(figures.searches).toBeGreaterThan(0);
    expect(figures.checked.live).toBeGreaterThan(0);
    expect(figures.checked.ended).toBeGreaterThan(0);
  },
  // Long enough for the plan, and for what is checked afterwards.
  howMany(120_000, 900_000),
);

it.each(EVERY_FAULT.slice(0, howMany(1, EVERY_FAULT.length)))("the torture notices a store that %s", async (fault) => {
  expect(await tortureFaulty(scripts, fault)).not.toEqual([]);
});
