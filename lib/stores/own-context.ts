import { AsyncResource } from "node:async_hooks";

/**
 * The asynchronous context in which its owner was made, for what is done for many callers together, and for what is kept in lists for longer than it
 * is under way. In the context of a request each promise of it would hold on to that request by `AsyncLocalStorage`, and the collector would keep
 * thousands of them for some time. No function is to be called in it that an app expects to run in the context of its request.
 */
export class OwnContext {
  readonly #resource = new Unreferenced("coatcheck.OwnContext");

  /** Calls `start`; what it begins belongs to this context, and what awaits its answer to the caller's. */
  run<T>(start: () => T): T {
    return this.#resource.runInAsyncScope(start);
  }
}

/** A context waits for nothing; tools that look for what keeps a process alive (`jest --detectOpenHandles`) ask for that. */
class Unreferenced extends AsyncResource {
  hasRef(): boolean {
    return false;
  }
}
