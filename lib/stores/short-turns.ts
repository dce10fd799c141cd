import { setImmediate as nextTurn } from "node:timers/promises";

/** How long long work stays in one turn of the event loop, in milliseconds; requests wait for so long at most. */
const TURN_MS = 1;

/** For work that is done a little at a time, so that requests have their turns in between. */
export class ShortTurns {
  #end = 0;

  /** Whether it is time to await `next`. */
  get isOver(): boolean {
    return performance.now() >= this.#end;
  }

  async next(): Promise<void> {
    await nextTurn();
    this.#end = performance.now() + TURN_MS;
  }
}
