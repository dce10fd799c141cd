import { setImmediate as nextTurn } from "node:timers/promises";
import { QueueById } from "../../lib/stores/conflicts";
import { closedGate } from "../support/gate";

describe("Works on one id", () => {
  it("are done one after the other, in the order in which they came, and each has its own result", async () => {
    const queue = new QueueById();
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
    expect(await Promise.all(names.map((name) => queue.add("a", work(name))))).toEqual(names);
    expect(done).toEqual(names);
  });

  it("don't wait for those on another", async () => {
    const queue = new QueueById();
    const gate = closedGate();
    const first = queue.add("a", gate.pass);
    const second = queue.add("a", async () => "second");
    expect(await queue.add("b", async () => "other")).toBe("other");
    gate.open();
    await first;
    expect(await second).toBe("second");
  });

  it("begin at once where nothing is before them, also after others", async () => {
    const queue = new QueueById();
    await Promise.all([queue.add("a", nextTurn), queue.add("a", nextTurn)]);
    let hasBegun = false;
    const working = queue.add("a", async () => {
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
    const queue = new QueueById();
    const works = [nextTurn, fail, async () => "well", fail, async () => "well"];
    const answers = await Promise.allSettled(works.map((work) => queue.add<unknown>("a", work)));
    expect(answers.map(({ status }) => status)).toEqual([
      "fulfilled",
      "rejected",
      "fulfilled",
      "rejected",
      "fulfilled",
    ]);
  });

  it("leave nothing behind", async () => {
    const queue = new QueueById();
    const works = Array.from({ length: 50 }, (_, n) =>
      queue.add(`id ${n % 5}`, async () => {
        await nextTurn();
        if (n % 3 === 0) throw new Error("failed");
      }),
    );
    expect(queue.size).toBe(5);
    await Promise.allSettled(works);
    expect(queue.size).toBe(0);
  });
});
