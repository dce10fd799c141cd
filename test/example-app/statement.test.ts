import { MemoryStore } from "coatcheck/testing";
import { setTimeout as sleep } from "node:timers/promises";
import type TestAgent from "supertest/lib/agent";
import { signal } from "../support/gate";
import { openTeaHouse, post, signIn } from "./open-tea-house";
import type { TeaHouse } from "./open-tea-house";

const LONG_MS = 60_000;

describe("the monthly statement", () => {
  let house: TeaHouse;
  /** Lets the work on the statement take one more step. */
  let step: ReturnType<typeof signal>;

  beforeEach(async () => {
    step = signal();
    house = await openTeaHouse(new MemoryStore(), (stop) =>
      Promise.race([step.given, sleep(LONG_MS, undefined, { signal: stop, ref: false })]),
    );
  });
  afterEach(async () => house.sessions.close());

  async function buyer(username: string, ...teas: string[]): Promise<TestAgent> {
    const visitor = house.visitor();
    await signIn(visitor, username);
    for (const tea of teas) {
      await post(visitor, `/cart/${tea}/add`);
      await post(visitor, "/checkout");
    }
    return visitor;
  }

  async function pageIn(visitor: TestAgent, state: string): Promise<string> {
    for (;;) {
      const page = (await visitor.get("/statement").expect(200)).text;
      if (page.includes(`data-testid="statement-${state}"`)) return page;
      await sleep(5);
    }
  }

  test("is made in the background: the page shows its progress, reloads by itself without a script, and then shows the statement", async () => {
    const alice = await buyer("alice", "matcha", "keemun");
    expect(await pageIn(alice, "none")).not.toContain('http-equiv="refresh"');
    await post(alice, "/statement").then((answer) => expect(answer.headers.location).toBe("/statement"));

    const waiting = await pageIn(alice, "underWay");
    expect(waiting).toContain('<meta http-equiv="refresh" content="1">');
    expect(waiting).toContain('<progress max="100" value="0"');
    expect(waiting.match(/<script.*/g)).toEqual(['<script src="/session/pages.js" defer></script>']);

    step.give();
    const ready = await pageIn(alice, "ready");
    expect(ready).not.toContain('http-equiv="refresh"');
    expect(ready.match(/TH-[0-9A-F]{8}/g)).toHaveLength(2);
    expect(ready).toContain("€48.50"); // 26.50 and 14.20, each with 3.90 for shipping
  });

  test("runs in a session of the user's own, which is closed when it is done", async () => {
    const alice = await buyer("alice");
    await post(alice, "/statement");
    const clientless = async () => {
      const infos = await house.sessions.getSessionInfo({ username: "alice" });
      return infos.filter((info) => info.sessionScope === "clientless");
    };
    const [work] = await clientless();
    expect(work).toMatchObject({ username: "alice", endedAt: null });
    expect((await alice.get("/devices")).text.match(/<li class="panel device">/g)).toHaveLength(1);
    step.give();
    expect(await pageIn(alice, "ready")).toContain("Nothing was ordered in this month.");
    expect(await clientless()).toEqual([]);
    expect(await house.sessions.getSession(work!.id)).toMatchObject({ endReason: "closed" });
  });

  test("is seen by its owner alone, on every device", async () => {
    const [alice, phone, bob] = [await buyer("alice", "matcha"), await buyer("alice"), await buyer("bob", "sencha")];
    await post(alice, "/statement");
    await pageIn(phone, "underWay");
    await pageIn(bob, "none");
    step.give();
    const [number] = /TH-[0-9A-F]{8}/.exec(await pageIn(phone, "ready"))!;
    expect(await pageIn(alice, "ready")).toContain(number);
    expect(await pageIn(bob, "none")).not.toContain(number);
    await house.visitor().get("/statement").expect(303).expect("Location", "/sign-in?next=%2Fstatement");
  });

  test("is made once after two clicks at once", async () => {
    const alice = await buyer("alice");
    await Promise.all([post(alice, "/statement"), post(alice, "/statement")]);
    expect(await house.sessions.getSessionInfo({ username: "alice" })).toHaveLength(2);
    step.give();
    await pageIn(alice, "ready");
  });

  test("P2: is stopped when the admin ends the user's sessions, and can be started again", async () => {
    const [alice, admin] = [await buyer("alice"), await buyer("admin")];
    await post(alice, "/statement");
    await post(admin, "/admin/users/alice/end-sessions");
    const back = await buyer("alice");
    expect(await pageIn(back, "stopped")).toContain("was stopped before it was done");
    step.give();
    await post(back, "/statement");
    await pageIn(back, "ready");
  });

  test.each([
    ["de", "Monatsabrechnung"],
    ["ja", "月次明細"],
  ])("speaks %s", async (language, title) => {
    const alice = await buyer("alice");
    await post(alice, "/language", { language });
    expect(await pageIn(alice, "none")).toContain(`<h1>${title}</h1>`);
  });
});
