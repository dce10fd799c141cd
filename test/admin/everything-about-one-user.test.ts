import { inspect } from "node:util";
import { Sessions } from "../../lib";
import { describeOnEveryStore } from "../support/every-store";

const USER = "alice-in-wonderland";
const DATA = { secret: "the rabbit hole" };
const storeTimeout = "20s";

describeOnEveryStore("what is stored about one user", (every) => {
  it.each([
    { keepEnded: "24h", left: "who, where and when, but no data", isUserLeft: true },
    { keepEnded: 0, left: "nothing", isUserLeft: false },
  ] as const)("after a kill with keepEnded: $keepEnded is $left", async ({ keepEnded, isUserLeft }) => {
    const store = await every.open();
    const stored = async () => {
      const records: unknown[] = [];
      for (const state of ["live", "ended"] as const)
        for await (const record of store.find({ state })) records.push(record);
      const text = inspect(records, { depth: Infinity });
      return { user: text.includes(USER), data: text.includes(DATA.secret), bob: text.includes("bob") };
    };
    const app = new Sessions({ store, clearSchedule: false, storeTimeout });
    for (const user of [USER, USER, "bob"]) await app.openClientlessSession(user, user === USER ? { data: DATA } : {});
    expect(await stored()).toEqual({ user: true, data: true, bob: true });
    const script = new Sessions({ store, clearSchedule: false, storeTimeout, keepEnded });
    expect(await script.killSessionByUser(USER)).toBe(2);
    expect(await stored()).toEqual({ user: isUserLeft, data: false, bob: true });
  });
});
