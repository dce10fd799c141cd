import { setImmediate as turn } from "node:timers/promises";
import { DatastorePipe } from "../../lib/stores/datastore-pipe";
import type { PipeSource } from "../../lib/stores/datastore-pipe";

/** Callers of a pipe, and how many of them travelled in each call. */
class Callers implements PipeSource {
  readonly sizes: number[] = [];
  readonly #pipe = new DatastorePipe(this);
  #waiting: (() => void)[] = [];
  unanswered = 0;
  expectsMore = false;

  get waiting(): number {
    return this.#waiting.length;
  }

  next(): (() => Promise<void>) | undefined {
    const taken = this.#waiting;
    if (taken.length === 0) return undefined;
    this.#waiting = [];
    this.sizes.push(taken.length);
    return async () => {
      await new Promise((later) => setTimeout(later, 5));
      this.unanswered -= taken.length;
      for (const answer of taken) answer();
    };
  }

  /** Says that others, whom `expectsMore` spoke of, were answered. */
  joined(): void {
    this.expectsMore = false;
    this.#pipe.joined();
  }

  /** Resolves when nobody waits for an answer. */
  idle(): Promise<void> {
    return this.#pipe.idle();
  }

  /** So many callers, each of whom asks again in the turn after its answer. */
  async ask(callers: number, times: number): Promise<void> {
    const caller = async () => {
      for (let time = 0; time < times; time += 1) {
        await new Promise<void>((answer) => {
          this.#waiting.push(answer);
          this.unanswered += 1;
          this.#pipe.wake();
        });
        await turn();
      }
    };
    await Promise.all(Array.from({ length: callers }, caller));
  }
}

describe("DatastorePipe", () => {
  afterEach(() => jest.useRealTimers());

  it("takes along, of a crowd, those who ask again in the turn after their answer, instead of every half waiting for the other", async () => {
    const callers = new Callers();
    const first = callers.ask(5, 4);
    await turn();
    await Promise.all([first, callers.ask(5, 4)]);
    expect(callers.sizes).toEqual([5, 10, 10, 10, 5]);
  });

  it("holds a crowd for as many who are about to join it, and no longer than until they have asked", async () => {
    jest.useFakeTimers({ doNotFake: ["setImmediate", "nextTick", "queueMicrotask"] });
    const callers = new Callers();
    callers.expectsMore = true;
    const asked = callers.ask(5, 1);
    await turn();
    await turn();
    expect(callers.sizes).toEqual([]);
    callers.joined();
    const joining = callers.ask(7, 1);
    await turn();
    await turn();
    await turn();
    expect(callers.sizes).toEqual([12]);
    await jest.advanceTimersByTimeAsync(5);
    await Promise.all([asked, joining]);
    expect(jest.getTimerCount()).toBe(0);
  });

  it("sends a crowd after a while that nobody joins", async () => {
    jest.useFakeTimers({ doNotFake: ["setImmediate", "nextTick", "queueMicrotask"] });
    const callers = new Callers();
    callers.expectsMore = true;
    const asked = callers.ask(5, 1);
    await turn();
    await jest.advanceTimersByTimeAsync(9);
    expect(callers.sizes).toEqual([]);
    await jest.advanceTimersByTimeAsync(1);
    expect(callers.sizes).toEqual([5]);
    await jest.advanceTimersByTimeAsync(5);
    await asked;
    expect(jest.getTimerCount()).toBe(0);
  });

  it("lets a few callers wait for nobody", async () => {
    const callers = new Callers();
    callers.expectsMore = true;
    const first = callers.ask(1, 2);
    await turn();
    await Promise.all([first, callers.ask(1, 2)]);
    expect(callers.sizes).toEqual([1, 1, 1, 1]);
  });

  it("is not idle before it has answered who asked while it waited for a turn", async () => {
    const callers = new Callers();
    await callers.ask(20, 1);
    const isAnswered = jest.fn();
    void callers.ask(1, 1).then(isAnswered);
    await callers.idle();
    await turn();
    await turn();
    expect(isAnswered).toHaveBeenCalled();
    expect(callers.sizes).toEqual([20, 1]);
  });
});
