import { SessionError } from "../errors";
import type { SessionWatch } from "./session-watch";

/** The controller of each signal, for as long as somebody has the signal. */
const controllers = new WeakMap<AbortSignal, AbortController>();

/** Stops watching the sessions whose signals nobody has any more. */
const collected = new FinalizationRegistry<() => void>((unwatch) => unwatch());

/**
 * A signal that aborts when the session ends, wherever that happens, with `SESSION_ENDED` as its reason. It is kept
 * until `onGone` calls back, because the client has gone; from then on it lives only as long as somebody has it.
 */
export function sessionSignal(watch: SessionWatch, id: string, onGone: (letGo: () => void) => void): AbortSignal {
  const controller = new AbortController();
  const { signal } = controller;
  controllers.set(signal, controller);
  const weak = new WeakRef(signal);
  let kept: AbortSignal | undefined = signal;
  const unwatch = watch.watch(id, { onEnded: () => abort(kept ?? weak.deref()) });
  collected.register(signal, unwatch);
  onGone(() => (kept = undefined));
  return signal;
}

/** A signal that has aborted already. */
export function abortedSignal(): AbortSignal {
  return AbortSignal.abort(ended());
}

function abort(signal: AbortSignal | undefined): void {
  if (signal !== undefined) controllers.get(signal)?.abort(ended());
}

function ended(): SessionError {
  return new SessionError("SESSION_ENDED", "The session has ended.");
}
