export { MemoryStore } from "./stores/memory-store";
export { storeContract } from "./stores/store-contract";
export type { MakeStore, StoreUnderTest, TestRunner } from "./stores/store-contract";
