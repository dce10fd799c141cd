export { MemoryStore } from "../stores/memory-store";
// What a store is made of, beside the types that the root exports.
export { CLEAR_GRACE_MS, isExpired } from "../record/expiry";
export { dictionary } from "../record/session-record";
export { NewerFormatError } from "../record/session-record";
export { applyDelta } from "../record/session-delta";
export { endedRecord, isEnded } from "../record/session-record";
export { storeContract } from "./store-contract/store-contract";
export type { MakeStore, StoreUnderTest, TestRunner } from "./store-contract/store-contract";
export { signIn, signInCookie } from "./sign-in";
export type { BrowserCookie, CookieAgent, SignInOptions } from "./sign-in";
