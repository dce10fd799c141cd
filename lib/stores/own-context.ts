import { AsyncResource } from "node:async_hooks";

/**
 * The asynchronous context in which this object was made, for work that is done for many callers together. In the
 * context of a request, each promise of such work would keep that request in memory by `AsyncLocalStorage`, thousands
 * of them until the garbage collector gets to them. Nothing that an app expects to run in the context of its request
 * may be called in it.
 */
export class OwnContext {
  readonly #resource = new Unreferenced("coatcheck.OwnContext");

  /** Calls `start`. What it begins belongs to this context; what awaits its result belongs to the caller's. */
  run<T>(start: () => T): T {
    return this.#resource.runInAsyncScope(start);
  }
}

/** A context keeps no process alive, and says so to tools that look for what does (`jest --detectOpenHandles`). */
class Unreferenced extends AsyncResource {
  hasRef(): boolean {
    return false;
  }
}
