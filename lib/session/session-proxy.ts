import type { Session } from "./session";
import type { SessionState } from "./life/session-state";

/**
 * The names that a session keeps for itself: data under them are reached by `get`, `set` and `items()` only.
 * The list is closed; it grows only in a major version. `SessionData` names each once more.
 */
const RESERVED = [
  // the dict
  ...(["get", "set", "has", "require", "delete", "remove", "merge", "items", "keys", "values", "size"] as const),
  ...(["pop", "setDefault", "clear", "update"] as const),
  // what is known of the session
  ...(["id", "owner", "isNew", "changed", "meta", "cookie", "pages", "signal"] as const),
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

/** Where a Session keeps what stands behind it. */
export const STATE: unique symbol = Symbol("state");

/** Makes the data of a session its enumerable properties. One handler serves all sessions. */
export function asProxy(session: Session): Session {
  return new Proxy(session, HANDLER);
}

const HANDLER: ProxyHandler<Session> = {
  get(session, name) {
    if (typeof name === "symbol" || RESERVED_NAMES.has(name)) return Reflect.get(session, name, session) as unknown;
    const { values } = stateOf(session);
    if (INHERITED_NAMES.has(name) && !values.has(name)) return Reflect.get(Object.prototype, name) as unknown;
    return values.get(name);
  },

  set(session, name, value) {
    // Only the library itself moves a session to another state.
    if (name === STATE) return Reflect.set(session, STATE, value);
    if (typeof name === "symbol") throw new TypeError("A session's key must be a string, not a symbol.");
    if (RESERVED_NAMES.has(name)) throw reserved(name, `write session.set("${name}", value)`);
    const state = stateOf(session);
    state.assertWritable();
    state.values.set(name, value);
    return true;
  },

  has(session, name) {
    if (typeof name === "symbol" || RESERVED_NAMES.has(name)) return Reflect.has(session, name);
    return stateOf(session).values.has(name);
  },

  deleteProperty(session, name) {
    if (typeof name === "symbol") return false;
    if (RESERVED_NAMES.has(name)) throw reserved(name, `delete it with session.delete("${name}")`);
    session.delete(name);
    return true;
  },

  ownKeys(session) {
    return stateOf(session)
      .values.keys()
      .filter((key) => !RESERVED_NAMES.has(key));
  },

  getOwnPropertyDescriptor(session, name) {
    if (typeof name === "symbol" || RESERVED_NAMES.has(name)) return undefined;
    const { values } = stateOf(session);
    if (!values.has(name)) return undefined;
    return { value: values.get(name), writable: true, enumerable: true, configurable: true };
  },

  defineProperty(session, name, descriptor) {
    if (descriptor.get !== undefined || descriptor.set !== undefined) {
      throw new TypeError(`${String(name)} can't be an accessor: a session holds data.`);
    }
    return HANDLER.set?.(session, name, descriptor.value, session) ?? false;
  },

  preventExtensions() {
    throw new TypeError("A session can't be frozen, sealed or made non-extensible.");
  },

  setPrototypeOf() {
    throw new TypeError("A session's prototype can't be changed.");
  },
};

function stateOf(session: Session): SessionState {
  return session[STATE];
}

/** An app that stored `login` and then checked `session.login` would let everyone in: that is always the method. */
function reserved(name: string, instead: string): TypeError {
  return new TypeError(
    `${name} is one of the session's own names, and session.${name} is never data. Use another name; or ${instead}, and read it with session.get("${name}") only.`,
  );
}
