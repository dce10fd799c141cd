import type { SessionStore } from "../../lib/stores/store";
import { MemoryStore } from "../../lib/stores/memory-store";

/** What is called on a store. */
export type StoreMethod = keyof SessionStore;

export interface WatchedStore {
  readonly store: SessionStore;
  /** The name of every call so far, in order. */
  readonly calls: StoreMethod[];
}

/**
 * A store that notes how it is called. `before` may make a call wait, or fail: it runs before the store is called, and
 * if it returns nothing, the store's own result comes as directly as ever.
 */
export function watchedStore(
  before: (method: StoreMethod) => Promise<void> | undefined = () => undefined,
  store: SessionStore = new MemoryStore(),
): WatchedStore {
  const calls: StoreMethod[] = [];
  const watched = new Proxy(store, {
    get(target, name: StoreMethod) {
      const method = Reflect.get(target, name) as ((...args: unknown[]) => unknown) | undefined;
      if (method === undefined) return undefined;
      return (...args: unknown[]) => {
        calls.push(name);
        // `find` returns no promise, and so can't be made to wait.
        const waiting = name === "find" ? undefined : before(name);
        const ask = () => Reflect.apply(method, target, args);
        return waiting === undefined ? ask() : askAfter(waiting, ask);
      };
    },
  });
  return { store: watched, calls };
}

async function askAfter(waiting: Promise<void>, ask: () => unknown): Promise<unknown> {
  await waiting;
  return ask();
}
