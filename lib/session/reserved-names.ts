/**
 * The names that a session keeps for itself: data under them are reached by `get`, `set` and `items()` only.
 * The list is closed; it grows only in a major version.
 */
export const RESERVED_NAMES: ReadonlySet<string> = new Set([
  // the dict
  ...["get", "set", "has", "require", "delete", "remove", "merge", "items", "keys", "values", "size"],
  ...["pop", "setDefault", "clear", "update"],
  // what is known of the session
  ...["id", "owner", "isNew", "changed", "meta", "cookie"],
  // what can be done with it
  ...["markChanged", "save", "reload", "touch", "reset", "login", "logout", "destroy", "regenerate"],
  // what else belongs to it
  ...["attributes", "securityKeys", "start", "result", "close"],
]);
