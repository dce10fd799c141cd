import { instanceOr } from "./reader/option-kinds";
import { RefusedOptions, refuse } from "./reader/refused-options";
import { kindOf } from "../record/shown-text";
import type { SessionStore } from "../stores/store";

const STORE_METHODS = ["load", "create", "update", "mutate", "replace", "end", "find", "tally", "clear", "close"];
const OURS = 'one of coatcheck\'s, such as new SqliteStore({ path: "./.sessions" }), or your own SessionStore';

/** The option `store`. */
export function storeOption(store: unknown, option: string): SessionStore | undefined {
  if (store === undefined) return undefined;
  const isMissing = (method: string) => typeof (store as Record<string, unknown>)[method] !== "function";
  if (typeof store !== "object" || store === null) {
    if (typeof store === "function") return refuse(option, store, instanceOr(store, `give ${OURS}`));
    // An address may have a password in it.
    throw new RefusedOptions([`Option ${option} can't be ${kindOf(store)}; give ${OURS}.`]);
  }
  if (store instanceof Promise) return refuse(option, store, "it is a promise: await it");
  const missing = STORE_METHODS.filter(isMissing);
  if (missing.length === 0) return store as SessionStore;
  if (!["get", "set", "destroy"].some(isMissing)) {
    return refuse(option, store, `it is a store for express-session, which can't end sessions for good; give ${OURS}`);
  }
  return refuse(option, store, `it has no ${missing.join(", ")}; give ${OURS}`);
}
