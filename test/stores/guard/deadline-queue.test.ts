import { setTimeout as sleep } from "node:timers/promises";
import { DeadlineQueue } from "../../../lib/stores/guard/store-calls";

describe("DeadlineQueue", () => {
  it("keeps no deadlines that were met, although there is always one under way", () => {
    const queue = new DeadlineQueue(60_000);
    let last = queue.add(() => undefined);
    for (let n = 0; n < 100_000; n += 1) {
      const next = queue.add(() => undefined);
      queue.meet(last);
      last = next;
    }
    expect(queue.length).toBeLessThan(5000);
    queue.meet(last);
    expect(queue.length).toBe(0);
  });

  it("misses each deadline once, and takes new ones while it does", async () => {
    const queue = new DeadlineQueue(20);
    const missed: string[] = [];
    queue.add(() => {
      missed.push("first");
      queue.add(() => missed.push("added meanwhile"));
    });
    queue.meet(queue.add(() => missed.push("met")));
    queue.add(() => missed.push("second"));
    while (missed.length < 3) await sleep(5);
    expect(missed).toEqual(["first", "second", "added meanwhile"]);
  });
});
