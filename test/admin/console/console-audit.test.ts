import { Glances } from "../../../lib/admin/console/glances";
import { KeptTally } from "../../../lib/admin/console/kept-tally";
import { send } from "../../support/app";
import { startConsole } from "../../support/console-app";
import type { ConsoleApp } from "../../support/console-app";
import { eventually } from "../../support/eventually";
import { idOf } from "../../support/session-life";

const MINUTE = 60_000;

describe("the console's audit", () => {
  let app: ConsoleApp;
  beforeEach(async () => (app = await startConsole()));
  afterEach(() => app.close());
  const actions = () => app.entries.map(({ action, actor, result }) => `${actor} ${action} ${result}`);

  test("has one entry for each thing that a page looks at, however often it is opened or updates itself", async () => {
    const root = await app.login("root");
    const first = async () => app.open(root, "/list?who=guests");
    await first();
    const told = actions();
    expect([...told].sort()).toEqual(["root enter allowed", "root list allowed", "root tally allowed"]);
    for (let n = 0; n < 3; n += 1) await first();
    const headers = { cookie: root, "x-coatcheck-refresh": "1" };
    expect((await app.get("/admin/sessions/list?who=guests", headers)).status).toBe(200);
    expect(actions()).toEqual(told);
  });

  test("has another for another page, another session of the same user, and another target", async () => {
    const [root, second, alice] = [await app.login("root"), await app.login("root"), await app.login("alice")];
    const entries = async (cookie: string, path: string) => {
      const before = app.entries.length;
      await app.open(cookie, path);
      return app.entries.length - before;
    };
    expect(await entries(root, "/list")).toBe(3);
    expect(await entries(root, "/list?sort=user")).toBe(3);
    expect(await entries(second, "/list")).toBe(3);
    expect(await entries(root, `/session/${idOf(alice)}`)).toBe(2);
    expect(await entries(root, `/session/${idOf(root)}`)).toBe(2);
    expect(await entries(root, `/session/${idOf(root)}`)).toBe(0);
  });

  test("has every refusal and every end, whoever says that it is an update", async () => {
    const [root, alice] = [await app.login("root"), await app.login("alice")];
    const headers = { cookie: alice, "x-coatcheck-refresh": "1" };
    for (let n = 0; n < 3; n += 1) await send("GET", `${app.url}/admin/sessions/list`, headers);
    expect(actions()).toEqual(Array.from({ length: 3 }, () => "alice enter refused"));
    for (let n = 0; n < 2; n += 1) await app.submit(root, "/end/user?user=nobody");
    expect(actions().filter((action) => action.includes("killByUser"))).toHaveLength(2);
  });
});

test("a look ends when a minute passes without a glance, and is told again each hour", () => {
  const glances = new Glances();
  expect(glances.wasTold("a", 0)).toBe(false);
  expect(glances.wasTold("b", 0)).toBe(false);
  expect(glances.wasTold("a", MINUTE - 1)).toBe(true);
  expect(glances.wasTold("a", 2 * MINUTE - 2)).toBe(true);
  expect(glances.wasTold("a", 3 * MINUTE - 2)).toBe(false);
  let told = 0;
  for (let at = 0; at < 120; at += 1) if (!glances.wasTold("c", at * MINUTE * 0.9)) told += 1;
  expect(told).toBe(2);
});

describe("a count of sessions", () => {
  const group = { project: "", scope: "browser", isGuest: false };
  const of = {};

  test("that takes no time is made each time", async () => {
    const kept = new KeptTally();
    let live = 0;
    const count = () => Promise.resolve([{ ...group, live: (live += 1) }]);
    for (const expected of [1, 2, 3]) {
      expect((await kept.get(of, count, 0)).tallies).toMatchObject([{ live: expected }]);
    }
  });

  test("that took long is shown again, and made anew beside that; where that fails, it stays", async () => {
    const kept = new KeptTally();
    let live = 0;
    const slow = async () => {
      await new Promise((resolve) => setTimeout(resolve, 120));
      if (live === 2) throw new Error("no answer");
      return [{ ...group, live: (live += 1) }];
    };
    const at = async (now: number) => (await kept.get(of, slow, now)).tallies[0]?.live;
    expect(await at(0)).toBe(1);
    expect(await at(10)).toBe(1);
    expect(await at(5 * MINUTE)).toBe(1);
    await eventually(async () => (await at(5 * MINUTE)) === 2);
    expect(await at(14 * MINUTE)).toBe(2);
    await expect(at(16 * MINUTE)).rejects.toThrow("no answer");
    expect((await kept.get({}, () => Promise.resolve([]), 0)).tallies).toEqual([]);
  });
});
