import { setImmediate as nextTurn } from "node:timers/promises";
import type { SessionStore } from "../../lib/stores/store";

/** How often the forgetful stores forget. */
const SHARE = 0.05;

/** Stores that break their contract; the torture test has to notice each of them. */
const FAULTS = {
  "forgets updates": (store) => ({
    update: async (id, delta) => isForgotten() || store.update(id, delta),
  }),
  "forgets creates": (store) => ({
    create: async (record) => (isForgotten() ? undefined : store.create(record)),
  }),
  "forgets ends": (store) => ({
    end: async (id, ending) => isForgotten() || store.end(id, ending),
  }),
  "replaces without ending": (store) => ({
    replace: async (_oldId, _ending, record) => store.create(record).then(() => true),
  }),
  "mutates in two steps": (store) => ({
    mutate: async (id, change) => {
      const record = await store.load(id);
      const delta = record && change(record);
      if (delta === undefined) return record;
      await nextTurn();
      return (await store.update(id, delta)) ? store.load(id) : undefined;
    },
  }),
} satisfies Record<string, (store: SessionStore) => Partial<SessionStore>>;

export type Fault = keyof typeof FAULTS;
export const EVERY_FAULT = Object.keys(FAULTS) as Fault[];

/** The store with a fault; the store itself if none is wanted. */
export function faultyStore(store: SessionStore, fault: Fault | undefined): SessionStore {
  if (fault === undefined) return store;
  const faulty: Partial<SessionStore> = FAULTS[fault](store);
  return new Proxy(store, {
    get: (target, name) => {
      if (name in faulty) return Reflect.get(faulty, name) as unknown;
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}

function isForgotten(): boolean {
  return Math.random() < SHARE;
}
