import type { SessionStore } from "../../stores/store";
import { clearContract } from "./clear-contract";
import { createContract } from "./create-contract";
import { endContract } from "./end-contract";
import { findContract } from "./find-contract";
import { mutateContract } from "./mutate-contract";
import { replaceContract } from "./replace-contract";
import { tallyContract } from "./tally-contract";
import { updateContract } from "./update-contract";

/** What the suite needs of the test runner; jest, vitest and node:test have both. */
export interface TestRunner {
  /** Groups tests under a name. */
  readonly describe: (name: string, body: () => void) => void;
  /** Registers a test. */
  readonly it: (name: string, body: () => Promise<void>) => void;
}

/** A store to test: empty, with the clock given, and whatever releases it afterwards. */
export interface StoreUnderTest {
  /** The store, which is empty. */
  readonly store: SessionStore;
  /** Called after the test, whatever became of it. */
  readonly dispose?: () => Promise<void>;
}

/** Makes an empty store that reads the time (milliseconds since the epoch) from `now`. */
export type MakeStore = (now: () => number) => StoreUnderTest | Promise<StoreUnderTest>;

/** What the tests of one method are written with: each gets an empty store, and sets the clock that the store reads. */
export interface ContractTests {
  readonly describe: TestRunner["describe"];
  readonly it: (name: string, body: (store: SessionStore, clock: { now: number }) => Promise<void>) => void;
}

/**
 * The tests that every store passes; each makes a store of its own.
 *
 * ```ts
 * import { storeContract } from "coatcheck/testing";
 * storeContract((now) => ({ store: new MyStore({ now }) }), { describe, it });
 * ```
 */
export function storeContract(makeStore: MakeStore, { describe, it }: TestRunner): void {
  const tests: ContractTests = {
    describe,
    it: (name, body) =>
      it(name, async () => {
        const clock = { now: Date.now() };
        const { store, dispose } = await makeStore(() => clock.now);
        try {
          await body(store, clock);
        } finally {
          await store.close();
          await dispose?.();
        }
      }),
  };
  createContract(tests);
  updateContract(tests);
  mutateContract(tests);
  replaceContract(tests);
  endContract(tests);
  findContract(tests);
  tallyContract(tests);
  clearContract(tests);
}
