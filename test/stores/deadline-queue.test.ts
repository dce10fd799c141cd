import { AsyncLocalStorage } from "node:async_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { DeadlineQueue } from "../../lib/stores/deadline-queue";

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

  it("keeps no request in memory by the context of its first deadline", async () => {
    const requests = new AsyncLocalStorage<string>();
    const queue = new DeadlineQueue(20);
    const missedIn: unknown[] = [];
    requests.run("the first", () => queue.add(() => missedIn.push(requests.getStore())));
    await sleep(10);
    requests.run("the second", () => queue.add(() => missedIn.push(requests.getStore())));
    while (missedIn.length < 2) await sleep(5);
    expect(missedIn).toEqual([undefined, undefined]);
  });
});
