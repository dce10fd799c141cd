import { setImmediate as nextTurn } from "node:timers/promises";
import { TurnsById } from "../../../lib/stores/datastore/calls/turns-by-id";
import { closedGate } from "../../support/gate";

describe("Works on one id", () => {
  it("are done one after the other, in the order in which they came, and each has its own answer", async () => {
    const turns = new TurnsById();
    const done: string[] = [];
    let atOnce = 0;
    const work = (name: string) => async () => {
      atOnce += 1;
      expect(atOnce).toBe(1);
      await nextTurn();
      atOnce -= 1;
      done.push(name);
      return name;
    };
    const names = Array.from({ length: 20 }, (_, n) => `work ${n}`);
    expect(await Promise.all(names.map((name) => turns.take("a", work(name))))).toEqual(names);
    expect(done).toEqual(names);
  });

  it("don't wait for those on another", async () => {
    const turns = new TurnsById();
    const gate = closedGate();
    const first = turns.take("a", gate.pass);
    const second = turns.take("a", async () => "second");
    expect(await turns.take("b", async () => "other")).toBe("other");
    gate.open();
    await first;
    expect(await second).toBe("second");
  });

  it("begin at once where nothing is before them, also after others", async () => {
    const turns = new TurnsById();
    await Promise.all([turns.take("a", nextTurn), turns.take("a", nextTurn)]);
    let hasBegun = false;
    const working = turns.take("a", async () => {
      hasBegun = true;
    });
    expect(hasBegun).toBe(true);
    await working;
  });

  it.each([
    ["rejects", () => Promise.reject(new Error("rejected"))],
    [
      "throws",
      () => {
        throw new Error("thrown");
      },
    ],
  ])("go on after one that %s, whose caller alone is told", async (_, fail) => {
    const turns = new TurnsById();
    const works = [nextTurn, fail, async () => "well", fail, async () => "well"];
    const answers = await Promise.allSettled(works.map((work) => turns.take<unknown>("a", work)));
    expect(answers.map(({ status }) => status)).toEqual([
      "fulfilled",
      "rejected",
      "fulfilled",
      "rejected",
      "fulfilled",
    ]);
  });

  it("leave nothing behind", async () => {
    const turns = new TurnsById();
    const works = Array.from({ length: 50 }, (_, n) =>
      turns.take(`id ${n % 5}`, async () => {
        await nextTurn();
        if (n % 3 === 0) throw new Error("failed");
      }),
    );
    expect(turns.size).toBe(5);
    await Promise.allSettled(works);
    expect(turns.size).toBe(0);
  });
});
