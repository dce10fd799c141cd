import { MemoryStore } from "../../lib/stores/memory-store";
import { storeContract } from "../../lib/testing/store-contract/store-contract";
import { readsHeadersAlone } from "../support/header-queries";

describe("MemoryStore", () => {
  const makeStore = (now: () => number) => ({ store: new MemoryStore({ now }) });
  storeContract(makeStore, { describe, it });
  readsHeadersAlone(makeStore);
});
