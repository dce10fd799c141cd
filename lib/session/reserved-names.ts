/**
 * The names that a session keeps for itself: data under them are reached by `get`, `set` and `items()` only.
 * The list is closed; it grows only in a major version. `SessionData` names each once more.
 */
const RESERVED = [
  // the dict
  ...(["get", "set", "has", "require", "delete", "remove", "merge", "items", "keys", "values", "size"] as const),
  ...(["pop", "setDefault", "clear", "update"] as const),
  // what is known of the session
  ...(["id", "owner", "isNew", "changed", "meta", "cookie"] as const),
  // what can be done with it
  ...(["markChanged", "save", "reload", "touch", "reset", "login", "logout", "destroy", "regenerate"] as const),
  // what else belongs to it
  ...(["attributes", "securityKeys", "start", "result", "close"] as const),
] as const;

export const RESERVED_NAMES: ReadonlySet<string> = new Set(RESERVED);
export type ReservedNames = (typeof RESERVED)[number];

/** What any object inherits and code that is handed one calls on it. A key of such a name comes first. */
export const INHERITED_NAMES: ReadonlySet<string> = new Set([
  ...["hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable", "toLocaleString", "toString", "valueOf"],
]);
