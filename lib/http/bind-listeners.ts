import type { IncomingMessage } from "node:http";
import { currentHolder } from "../session/current-session";
import type { SessionHolder } from "../session/current-session";

const BOUND = Symbol("coatcheck.bound");

type Listener = (this: unknown, ...args: unknown[]) => void;
type Add = (event: string, listener: Listener) => unknown;
type Adding = Record<"on" | "addListener" | "prependListener" | "once" | "prependOnceListener", Add>;

/**
 * From now on, a listener that code inside `withUserContext` adds to the request's own stream runs in that context, and
 * not in the request's, `holder`. It is listed and removed as itself: Node looks at its `listener`, as it does for what
 * `once` adds.
 */
export function bindListeners(req: IncomingMessage & { [BOUND]?: true }, holder: SessionHolder): void {
  if (req[BOUND] === true) return;
  req[BOUND] = true;
  const adding = req as unknown as Adding;
  const unbound = { on: adding.on.bind(req), prependListener: adding.prependListener.bind(req) };
  for (const name of ["on", "addListener", "prependListener"] as const) {
    const add = adding[name].bind(req);
    adding[name] = (event, listener) => add(event, boundListener(req, holder, listener) ?? listener);
  }
  for (const [name, always] of [
    ["once", "on"],
    ["prependOnceListener", "prependListener"],
  ] as const) {
    const [addOnce, add] = [adding[name].bind(req), unbound[always]];
    adding[name] = (event, listener) => {
      const bound = boundListener(req, holder, listener, event);
      return bound === undefined ? addOnce(event, listener) : add(event, bound);
    };
  }
}

/**
 * The listener, bound to the holder that it is added for; undefined where that is the request itself. `once` names the
 * event after which it is removed.
 */
function boundListener(
  req: IncomingMessage,
  holder: SessionHolder,
  listener: unknown,
  once?: string,
): Listener | undefined {
  const current = currentHolder.getStore();
  if (current === undefined || current === holder || typeof listener !== "function") return undefined;
  const bound: Listener = function (...args) {
    if (once !== undefined) req.removeListener(once, bound);
    currentHolder.run(current, () => void Reflect.apply(listener, this, args));
  };
  return Object.assign(bound, { listener: "listener" in listener ? listener.listener : listener });
}

/**
 * Makes the listeners of the request's own stream belong to its session. Node calls them for the connection, so what
 * they call (a parser of uploads, and every handler after it) would belong to no session.
 */
export function keepCurrent(req: IncomingMessage, holder: SessionHolder): void {
  const emit = req.emit.bind(req);
  req.emit = (...args: Parameters<typeof emit>) => currentHolder.run(holder, emit, ...args);
}
