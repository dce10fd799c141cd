import { setImmediate as turn } from "node:timers/promises";
import { DatastorePipe } from "../../../lib/stores/datastore/calls/datastore-pipe";
import type { PipeSource } from "../../../lib/stores/datastore/calls/datastore-pipe";

/** Callers of a pipe, and how many of them went in each call. */
class Callers implements PipeSource {
  readonly sizes: number[] = [];
  readonly #pipe = new DatastorePipe(this);
  #waiting: (() => void)[] = [];
  unanswered = 0;
  expected = 0;

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

  /** Tells the pipe that others, whom `expected` counted, may ask now. */
  joined(): void {
    this.expected = 0;
    this.#pipe.joined();
  }

  /** Resolves when nobody waits for a result. */
  idle(): Promise<void> {
    return this.#pipe.idle();
  }

  /** This many callers, each of whom asks again in the turn of the event loop after its result. */
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

/** The pipe waits for turns of the event loop and, a little, for time. */
const fakeTimers = () => jest.useFakeTimers({ doNotFake: ["setImmediate", "nextTick", "queueMicrotask"] });

const turns = async () => {
  for (let count = 0; count < 4; count += 1) await turn();
};

describe("DatastorePipe", () => {
  afterEach(() => jest.useRealTimers());

  it("sends a crowd together with those who ask again one turn after their results, so that no half waits for the other", async () => {
    fakeTimers();
    const callers = new Callers();
    const asked = [callers.ask(5, 4)];
    await turn();
    asked.push(callers.ask(5, 4));
    for (let call = 0; call < 5; call += 1) {
      await turns();
      await jest.advanceTimersByTimeAsync(5);
    }
    await Promise.all(asked);
    expect(callers.sizes).toEqual([5, 10, 10, 10, 5]);
  });

  describe("where others will ask soon", () => {
    let callers: Callers;

    beforeEach(() => {
      fakeTimers();
      callers = new Callers();
    });

    afterEach(() => {
      expect(jest.getTimerCount()).toBe(0);
      jest.useRealTimers();
    });

    /** Lets a crowd ask once, and returns whether it had to wait; settled afterwards. */
    const crowd = async (count: number, isJoined = false): Promise<boolean> => {
      const before = callers.sizes.length;
      const asked = callers.ask(count, 1);
      await turns();
      const isHeld = callers.sizes.length === before;
      if (isJoined) callers.joined();
      await turns();
      await jest.advanceTimersByTimeAsync(15);
      await asked;
      return isHeld;
    };

    it("lets a crowd wait until they have asked", async () => {
      callers.expected = 100;
      const asked = callers.ask(5, 1);
      await turns();
      expect(callers.sizes).toEqual([]);
      callers.joined();
      const joining = callers.ask(7, 1);
      await turns();
      expect(callers.sizes).toEqual([12]);
      await jest.advanceTimersByTimeAsync(5);
      await Promise.all([asked, joining]);
    });

    it("lets it wait, where one more has just asked, until the turn after their results", async () => {
      callers.expected = 100;
      const asked = [callers.ask(5, 1)];
      await turns();
      asked.push(callers.ask(1, 1));
      callers.joined();
      await turn();
      asked.push(callers.ask(7, 1));
      await turns();
      expect(callers.sizes).toEqual([13]);
      await jest.advanceTimersByTimeAsync(5);
      await Promise.all(asked);
    });

    it("sends it after a while where nobody joins", async () => {
      callers.expected = 100;
      const asked = callers.ask(5, 1);
      await turns();
      await jest.advanceTimersByTimeAsync(9);
      expect(callers.sizes).toEqual([]);
      await jest.advanceTimersByTimeAsync(1);
      expect(callers.sizes).toEqual([5]);
      await jest.advanceTimersByTimeAsync(5);
      await asked;
    });

    it("waits ever less often where that is useless, and as before where it is not", async () => {
      callers.expected = 100;
      const heldOf = async (calls: number) => {
        const held: number[] = [];
        for (let call = 0; call < calls; call += 1) if (await crowd(9)) held.push(call);
        return held;
      };
      expect(await heldOf(60)).toEqual([0, 4, 12, 28]);
      expect(await crowd(9, true)).toBe(true);
      callers.expected = 100;
      expect(await heldOf(13)).toEqual([0, 4, 12]);
    });

    it("sends a crowd that outnumbers them at once, and the few who come after one", async () => {
      callers.expected = 8;
      expect(await crowd(9)).toBe(false);
      callers.expected = 3;
      expect(await crowd(1)).toBe(false);
      callers.expected = 4;
      expect(await crowd(1)).toBe(true);
    });
  });

  it("sends a few callers at once", async () => {
    const callers = new Callers();
    callers.expected = 3;
    const first = callers.ask(1, 2);
    await turn();
    await Promise.all([first, callers.ask(1, 2)]);
    expect(callers.sizes).toEqual([1, 1, 1, 1]);
  });

  it("is not idle before it has served those who asked while it waited for a turn of the event loop", async () => {
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
