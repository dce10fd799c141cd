import { MemoryStore } from "../../lib/stores/memory-store";
import { storeContract } from "../../lib/testing/store-contract/store-contract";

describe("MemoryStore", () => {
  storeContract((now) => ({ store: new MemoryStore({ now }) }), { describe, it });
});
